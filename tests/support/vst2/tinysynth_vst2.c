/* A VST2 instrument of one voice, with what makes plugins hard to host: its phase runs on from note to note, its
   window ends the process, and the environment TINYVST2 tells it to be an effect, or to crash as it loads or plays.
   The declarations are those of the public binary interface, as far as they are used. */
#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Effect Effect;
typedef intptr_t (*Callback)(Effect *, int32_t, int32_t, intptr_t, void *, float);
struct Effect {
  int32_t magic;
  intptr_t (*dispatch)(Effect *, int32_t, int32_t, intptr_t, void *, float);
  void *process;
  void (*set)(Effect *, int32_t, float);
  float (*get)(Effect *, int32_t);
  int32_t programs, parameters, inputs, outputs, flags;
  intptr_t reserved[2];
  int32_t delay, qualities[2];
  float ratio;
  void *object, *user;
  int32_t id, version;
  void (*render)(Effect *, float **, float **, int32_t);
  void *render_double;
  char future[56];
};
typedef struct { int32_t type, size, frame, flags, length, offset; unsigned char data[4]; char rest[4]; } Midi;
typedef struct { int32_t count; intptr_t reserved; Midi *events[1]; } Events;

enum { LEVEL, WAVE, TUNE, COUNT };
enum { PARAM_LABEL = 6, PARAM_TEXT, PARAM_NAME, SAMPLE_RATE = 10, EDIT_OPEN = 14, EVENTS = 25, CATEGORY = 35,
       NAME = 45, VENDOR = 47, CAN_DO = 51, VST_VERSION = 58 };
static const char *const NAMES[COUNT] = {"level", "wave", "tune"};
static const char *const WAVES[3] = {"sine", "square", "saw"};
static float values[COUNT] = {0.5f, 0.0f, 0.5f};
static double rate = 44100.0, phase, hertz;
static int sounding;

static int told(const char *word) {
  const char *fault = getenv("TINYVST2");
  return fault && strcmp(fault, word) == 0;
}

static int wave(void) { return values[WAVE] < 1.0f / 3 ? 0 : values[WAVE] < 2.0f / 3 ? 1 : 2; }

static intptr_t dispatch(Effect *e, int32_t code, int32_t index, intptr_t value, void *ptr, float option) {
  (void)value;
  switch (code) {
  case PARAM_LABEL: strcpy(ptr, ""); return 1;
  case PARAM_TEXT:
    if (index == WAVE) strcpy(ptr, WAVES[wave()]);
    else snprintf(ptr, 24, "%.3f", values[index]);
    return 1;
  case PARAM_NAME: strcpy(ptr, NAMES[index]); return 1;
  case SAMPLE_RATE: rate = option; return 0;
  case EDIT_OPEN: abort();
  case EVENTS:
    for (int32_t i = 0; i < ((Events *)ptr)->count; i++) {
      Midi *midi = ((Events *)ptr)->events[i];
      int kind = midi->data[0] & 0xf0;
      if (kind == 0x90 && midi->data[2]) {
        hertz = 440.0 * pow(2.0, (midi->data[1] - 69) / 12.0);
        sounding = midi->data[2];
      } else if (kind == 0x80 || kind == 0x90) sounding = 0;
    }
    return 1;
  case CATEGORY: return e->inputs ? 1 : 2;
  case NAME: case VENDOR: strcpy(ptr, "tinysynth"); return 1;
  case CAN_DO: return strstr(ptr, "Midi") != NULL;
  case VST_VERSION: return 2400;
  default: return 0;
  }
}

static void set(Effect *e, int32_t index, float value) { (void)e; values[index] = value; }
static float get(Effect *e, int32_t index) { (void)e; return values[index]; }

static void render(Effect *e, float **in, float **out, int32_t frames) {
  if (told("crash")) raise(11);
  for (int32_t i = 0; i < frames; i++) {
    double turn = phase - floor(phase), tone = sin(6.283185307179586 * turn);
    if (wave() == 1) tone = turn < 0.5 ? 1 : -1;
    if (wave() == 2) tone = 2 * turn - 1;
    phase += hertz * pow(2.0, values[TUNE] - 0.5) / rate;
    float sample = e->inputs ? in[0][i] : sounding ? (float)(tone * values[LEVEL] * sounding / 127) : 0.0f;
    out[0][i] = out[1][i] = sample;
  }
}

__attribute__((visibility("default"))) Effect *VSTPluginMain(Callback host) {
  static Effect effect;
  (void)host;
  if (told("load")) abort();
  int inputs = told("effect") ? 2 : 0;
  effect = (Effect){.magic = 0x56737450, .dispatch = dispatch, .set = set, .get = get, .programs = 1,
                    .parameters = COUNT, .inputs = inputs, .outputs = 2, .ratio = 1, .id = 0x74696e79, .version = 1,
                    .flags = 1 | 1 << 4 | (inputs ? 0 : 1 << 8), .render = render};
  return &effect;
}
