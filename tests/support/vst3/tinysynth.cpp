// A one-file polyphonic VST3 instrument without a GUI, written against the public VST3 ABI: no SDK, no JUCE.
// It is a test fixture for VST3 hosts. Linux/x86_64: a VST3 interface is a C++ abstract class (Itanium vtable order).
//
// Compiled with -DSICK it does badly what Surge XT does badly, and keeps its state as Surge does:
//   queued state    a state is applied at the start of the next block, which stops all voices, drops the notes of
//                   that block, and overwrites the parameters that came with it
//   dropped sets    a set to the value that was set last is dropped, although a state came between; the host is
//                   told no new values after a state, so that what it shows is the old
//   names by type   the fourth parameter is called after the waveform; the host hears of it in every 12th block
//   tails           only a state ends a sound: neither a reset nor a new activation does
//   texts           2,080 "MIDI CC" parameters, and a text takes 20 microseconds
//   types reset     a new waveform sets the detune to its default, in the next block
//   smoothing       the gain takes 0.05 s to arrive
//   constant        Glow does nothing
//   free running    phases start at random, from a seed of the clock, unless Retrigger is on
// -DTHREADED gives it a thread as JUCE has one: it takes a priority-inheriting mutex every 0.2 ms, and reads a byte from
//   a socketpair for each message that its own process has posted; process() posts one. -DHELD=1800000 has it hold the
//   mutex for so many nanoseconds each time, which is nine tenths of the time.
// -DBLOCKS=32 has it take MIDI only where a block of so many frames begins, counted from its first frame.
// -DTYPED (with SICK) gives it a Subtype, of which there are 1, 3, 6 or 2 by waveform: a higher one becomes the last; and
//   a Resonance that has 5 values where the waveform is Square. Either is so from the next block on, and no host is told.
// -DSTUCK: its Noise takes no value, and of its Decay the host is told what was set last, whatever state came between.
// -DEFFECT makes it an effect of the same name.
// -DRANDOM=clock has its phases start at random, by the wall clock as it is made; =device by std::random_device;
//   =address by where a static, a stack and a heap object lie, and its own code; =early by clock and device in a static
//   initialiser; =late by clock and device at each note.
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#ifdef RANDOM
#include <chrono>
#include <memory>
#include <random>
#endif
#ifdef THREADED
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>
#endif

typedef int32_t tresult; typedef uint8_t TUID[16]; typedef int16_t Str128[128];
enum : tresult { kNoInterface=-1, kOk=0, kFalse=1, kInvalidArg=2, kNotImplemented=3 };
#define IID(n,a,b,c,d) static const TUID n={uint8_t((a)>>24),uint8_t((a)>>16),uint8_t((a)>>8),uint8_t(a),uint8_t((b)>>24),uint8_t((b)>>16),uint8_t((b)>>8),uint8_t(b),uint8_t((c)>>24),uint8_t((c)>>16),uint8_t((c)>>8),uint8_t(c),uint8_t((d)>>24),uint8_t((d)>>16),uint8_t((d)>>8),uint8_t(d)}
IID(iidUnknown,0x00000000u,0x00000000u,0xC0000000u,0x00000046u);
IID(iidBase,0x22888DDBu,0x156E45AEu,0x8358B348u,0x08190625u);
IID(iidComponent,0xE831FF31u,0xF2D54301u,0x928EBBEEu,0x25697802u);
IID(iidProcessor,0x42043F99u,0xB7DA453Cu,0xA569E79Du,0x9AAEC33Du);
IID(iidController,0xDCD7BBE3u,0x7742448Du,0xA874AACCu,0x979C759Eu);
IID(iidFactory,0x7A4D811Cu,0x52114A1Fu,0xAED9D2EEu,0x0B43BF9Fu);
IID(iidFactory2,0x0007B650u,0xF24B4C0Bu,0xA464EDB9u,0xF00B2ABBu);
#ifdef SICK
static const bool kSick=true;
IID(cidTiny,0x5369636Bu,0x53796E74u,0x68466978u,0x74757265u);
#define NAME "SickSynth"
#else
static const bool kSick=false;
IID(cidTiny,0x54696E79u,0x53796E74u,0x68466978u,0x74757265u);
#define NAME "TinySynth"
#endif
IID(iidHandler,0x93A0BEA3u,0x0BD045DBu,0x8E890B0Cu,0xC1E46AC6u);
IID(iidMapping,0xDF0FF9F7u,0x49B74669u,0xB63AB732u,0x7ADBF5E5u);

struct FUnknown { virtual tresult queryInterface(const TUID,void**)=0; virtual uint32_t addRef()=0; virtual uint32_t release()=0; };
struct IBStream : FUnknown { virtual tresult read(void*,int32_t,int32_t*)=0; virtual tresult write(void*,int32_t,int32_t*)=0; virtual tresult seek(int64_t,int32_t,int64_t*)=0; virtual tresult tell(int64_t*)=0; };
struct BusInfo { int32_t media,dir,channels; Str128 name; int32_t type; uint32_t flags; };
struct Setup { int32_t mode,sampleSize,maxBlock; double rate; };
struct BusBuffers { int32_t n; uint64_t silence; union { float** f; double** d; }; };
struct Event { int32_t bus,offset; double ppq; uint16_t flags,type; union { struct { int16_t ch,pitch; float tuning,vel; int32_t len,id; } on; struct { int16_t ch,pitch; float vel; int32_t id; float tuning; } off; void* pad[3]; }; };
struct IEventList : FUnknown { virtual int32_t count()=0; virtual tresult get(int32_t,Event&)=0; virtual tresult add(Event&)=0; };
struct IQueue : FUnknown { virtual uint32_t id()=0; virtual int32_t count()=0; virtual tresult point(int32_t,int32_t&,double&)=0; virtual tresult add(int32_t,double,int32_t&)=0; };
struct IChanges : FUnknown { virtual int32_t count()=0; virtual IQueue* get(int32_t)=0; virtual IQueue* add(const uint32_t&,int32_t&)=0; };
struct Data { int32_t mode,sampleSize,frames,nIn,nOut; BusBuffers *in,*out; IChanges *pin,*pout; IEventList *ein,*eout; void* ctx; };
struct ParamInfo { uint32_t id; Str128 title,shortTitle,units; int32_t steps; double def; int32_t unit,flags; };
struct IPluginBase : FUnknown { virtual tresult initialize(FUnknown*)=0; virtual tresult terminate()=0; };
struct IComponent : IPluginBase {
  virtual tresult getControllerClassId(TUID)=0; virtual tresult setIoMode(int32_t)=0; virtual int32_t getBusCount(int32_t,int32_t)=0;
  virtual tresult getBusInfo(int32_t,int32_t,int32_t,BusInfo&)=0; virtual tresult getRoutingInfo(void*,void*)=0; virtual tresult activateBus(int32_t,int32_t,int32_t,uint8_t)=0;
  virtual tresult setActive(uint8_t)=0; virtual tresult setState(IBStream*)=0; virtual tresult getState(IBStream*)=0; };
struct IProcessor : FUnknown {
  virtual tresult setBusArrangements(uint64_t*,int32_t,uint64_t*,int32_t)=0; virtual tresult getBusArrangement(int32_t,int32_t,uint64_t&)=0; virtual tresult canProcessSampleSize(int32_t)=0;
  virtual uint32_t getLatencySamples()=0; virtual tresult setupProcessing(Setup&)=0; virtual tresult setProcessing(uint8_t)=0; virtual tresult process(Data&)=0; virtual uint32_t getTailSamples()=0; };
struct IController : IPluginBase {
  virtual tresult setComponentState(IBStream*)=0; virtual tresult setCtlState(IBStream*)=0; virtual tresult getCtlState(IBStream*)=0; virtual int32_t getParameterCount()=0;
  virtual tresult getParameterInfo(int32_t,ParamInfo&)=0; virtual tresult getParamStringByValue(uint32_t,double,Str128)=0; virtual tresult getParamValueByString(uint32_t,int16_t*,double&)=0;
  virtual double toPlain(uint32_t,double)=0; virtual double toNorm(uint32_t,double)=0; virtual double getParamNormalized(uint32_t)=0; virtual tresult setParamNormalized(uint32_t,double)=0;
  virtual tresult setComponentHandler(FUnknown*)=0; virtual void* createView(const char*)=0; };
struct IHandler : FUnknown { virtual tresult beginEdit(uint32_t)=0; virtual tresult performEdit(uint32_t,double)=0; virtual tresult endEdit(uint32_t)=0; virtual tresult restartComponent(int32_t)=0; };
struct IMapping : FUnknown { virtual tresult assigned(int32_t,int16_t,int16_t,uint32_t&)=0; };
struct FactoryInfo { char vendor[64],url[256],email[128]; int32_t flags; };
struct ClassInfo { TUID cid; int32_t card; char category[32],name[64]; };
struct ClassInfo2 { TUID cid; int32_t card; char category[32],name[64]; uint32_t flags; char sub[128],vendor[64],version[64],sdk[64]; };
struct IFactory2 : FUnknown { virtual tresult getFactoryInfo(FactoryInfo*)=0; virtual int32_t countClasses()=0; virtual tresult getClassInfo(int32_t,ClassInfo*)=0; virtual tresult createInstance(const char*,const char*,void**)=0; virtual tresult getClassInfo2(int32_t,ClassInfo2*)=0; };

static bool eq(const TUID a,const TUID b){ return !std::memcmp(a,b,16); }
static void str16(int16_t* o,const char* s){ int i=0; for(;s[i]&&i<127;++i) o[i]=(unsigned char)s[i]; o[i]=0; }

enum Kind { LIN, LOG, LIST, BOOL };
// Parameter ids start at BASE: JUCE 7/8 hosts write an unmapped MIDI CC (DawDreamer's and pedalboard's "all notes off") to parameter id 0.
enum : uint32_t { BASE=100 };
struct P { const char *name,*unit; Kind kind; double lo,hi,def; int steps; const char* const* labels; };
static const char* const WAVES[]={"Sine","Saw","Square","Triangle"};
static const char* const ONOFF[]={"Off","On"};
#ifdef TYPED
static const char* const SUBTYPES[]={"First","Second","Third","Fourth","Fifth","Sixth"};
#endif
enum { Wave, Cutoff, Reso, Attack, Decay, Sustain, Release, Detune, Sub, Noise, Gain, Glow, Retrigger,
#ifdef TYPED
  Subtype,
#endif
  N };
#ifdef WHEELS   // bend, modulation wheel (a tremolo's depth: how much softer) and pedal, as JUCE has them: hidden parameters
enum { CCS=3 };
static const int16_t MAPPED[CCS]={129,1,64};
static const bool kMapped=true;
#else
enum { CCS=2080 };
static const bool kMapped=false;
#endif
static const int SHOWN=kSick?N:Glow;   // a healthy one has neither of the last two
static const P PS[N]={ {"Waveform","",LIST,0,3,1,3,WAVES},{"Cutoff","Hz",LOG,40,16000,4000,0,0},{"Resonance","%",LIN,0,95,20,0,0},{"Attack","ms",LOG,1,2000,5,0,0},
 {"Decay","ms",LOG,1,4000,200,0,0},{"Sustain","%",LIN,0,100,70,0,0},{"Release","ms",LOG,1,4000,150,0,0},{"Detune","cent",LIN,-50,50,7,0,0},{"Sub Osc","",BOOL,0,1,0,1,ONOFF},{"Noise","%",LIN,0,100,0,0,0},{"Gain","dB",LIN,-40,6,-6,0,0},{"Glow","%",LIN,0,100,50,0,0},{"Retrigger","",BOOL,0,1,0,1,ONOFF},
#ifdef TYPED
 {"Subtype","",LIST,0,5,0,5,SUBTYPES},
#endif
};
static const char* const TAGS[N]={"wave","cutoff","reso","attack","decay","sustain","release","detune","sub","noise","gain","glow","retrigger",
#ifdef TYPED
 "subtype",
#endif
};
static const char* const ATTACKS[]={"Attack","Sawtooth Attack","Square Attack","Triangle Attack"};
static void nap(long ns=20000){ timespec a,b; clock_gettime(CLOCK_MONOTONIC,&a); do clock_gettime(CLOCK_MONOTONIC,&b); while((b.tv_sec-a.tv_sec)*1000000000L+b.tv_nsec-a.tv_nsec<ns); }
#ifdef THREADED
#ifndef HELD
#define HELD 20000
#endif
static pthread_mutex_t lockOfMessages; static int wake[2]; static int posted=0;
static void* pump(void*){ for(;;){ timespec t{0,200000}; nanosleep(&t,nullptr); pthread_mutex_lock(&lockOfMessages); nap(HELD); char c; if(posted>0&&read(wake[1],&c,1)==1) --posted; pthread_mutex_unlock(&lockOfMessages); } return nullptr; }
static void startPump(){ static bool done=false; if(done) return; done=true; pthread_mutexattr_t a; pthread_mutexattr_init(&a); pthread_mutexattr_setprotocol(&a,PTHREAD_PRIO_INHERIT); pthread_mutex_init(&lockOfMessages,&a); if(socketpair(AF_UNIX,SOCK_STREAM,0,wake)) std::abort(); pthread_t t; pthread_create(&t,nullptr,pump,nullptr); }
static void post(){ pthread_mutex_lock(&lockOfMessages); ++posted; ssize_t w=write(wake[0],"x",1); (void)w; pthread_mutex_unlock(&lockOfMessages); }
#else
static void startPump(){}
static void post(){}
#endif
#ifdef RANDOM
namespace fate {
static uint32_t mixed(uint64_t x){ x^=x>>33; x*=0xff51afd7ed558ccdull; x^=x>>33; return (uint32_t)x; }
static uint32_t clock(){ return mixed((uint64_t)std::chrono::system_clock::now().time_since_epoch().count()^(uint64_t)std::time(nullptr)<<32); }
static uint32_t device(){ return std::random_device()(); }
static uint32_t address(){ static char fixed; volatile char local=0; static const std::unique_ptr<char[]> heap(new char[96]); return mixed((uintptr_t)&fixed)^mixed((uintptr_t)&local)*3^mixed((uintptr_t)&clock)*5^mixed((uintptr_t)heap.get())*7; }
static const uint32_t first=clock()^device()*3;
static uint32_t early(){ return first; }
static uint32_t late(){ return clock()^device()*3; }
}
#endif
static double plain(int i,double n){ const P& p=PS[i]; n=n<0?0:n>1?1:n; if(p.steps) return kSick? std::fmin(p.steps,std::fmax(0,std::floor((n-0.005)/0.99*p.steps+0.5))) : std::fmin(p.steps,std::floor(n*(p.steps+1))); return p.kind==LOG? p.lo*std::pow(p.hi/p.lo,n) : p.lo+(p.hi-p.lo)*n; }
static double norm(int i,double v){ const P& p=PS[i]; v=v<p.lo?p.lo:v>p.hi?p.hi:v; if(p.steps) return kSick? 0.005+0.99*v/p.steps : v/p.steps; return p.kind==LOG? std::log(v/p.lo)/std::log(p.hi/p.lo) : (v-p.lo)/(p.hi-p.lo); }

struct Voice { int note=-1,stage=0; bool let=false; float vel=0,ph1=0,ph2=0,ph3=0,hz=0,env=0,lp=0,bp=0; uint32_t age=0; };

class Tiny final : public IComponent, public IProcessor, public IController
#ifdef WHEELS
  , public IMapping
#endif
{
  std::atomic<uint32_t> refs{1}; double n[N]; Voice v[8]; uint32_t clock=0,rng=22222; double rate=44100;
  std::string pending; double heldNames=-1; int blocks=0; uint64_t ran=0; float gain=-1; IHandler* handler=nullptr; uint32_t seed=1; double wave=-1,heard[N]; const char* fault=nullptr;   // TINYSYNTH_FAULT=crash|hang|nan|silent|leak: a badly behaved plugin, to test hosts with
  bool is(const char* f) const { return fault&&!std::strcmp(fault,f); }
  void clear(){ if(is("leak")||kSick) return; for(auto& x:v) x=Voice(); clock=0; rng=22222; }
  void hear(int i,double x){
#ifdef STUCK
    if(i==Noise) return;
#endif
    if(kSick&&x==heard[i]) return; heard[i]=x; n[i]=x<0?0:x>1?1:x; }
#ifdef TYPED
  void conform(){ static const int most[]={0,2,5,1}; const int w=(int)plain(Wave,n[Wave]); if(plain(Subtype,n[Subtype])>most[w]) n[Subtype]=norm(Subtype,most[w]); if(w==2) n[Reso]=0.005+0.99*std::floor((n[Reso]-0.005)/0.99*4+0.5)/4; }
  float bent() const { return std::exp2((float)plain(Subtype,n[Subtype])/12); }
#else
  void conform(){}
  float bent() const { return 1; }
#endif
  void stop(){ for(auto& x:v) x=Voice(); }
#ifdef WHEELS
  double moved[CCS]={0.5,0,0};
  void move(uint32_t i,double x){ if(i>=CCS) return; moved[i]=x; if(i==2&&x<0.5) for(auto& y:v) if(y.let){ y.let=false; if(y.stage&&y.stage<4) y.stage=4; } }
  float wheel() const { return std::exp2((float)((moved[0]-0.5)*4/12)); }
  float soft() const { return 1-(float)moved[1]*0.5f; }
  bool pedal() const { return moved[2]>=0.5; }
  tresult assigned(int32_t,int16_t channel,int16_t control,uint32_t& id) override { for(uint32_t i=0;i<CCS;++i) if(channel==0&&MAPPED[i]==control){ id=BASE+N+i; return kOk; } return kFalse; }
#else
  void move(uint32_t,double){}
  float wheel() const { return 1; }
  float soft() const { return 1; }
  bool pedal() const { return false; }
#endif
  float chance(){ seed=seed*1664525u+1013904223u; return seed*2.3283064e-10f; }
  bool take(const std::string& s){ const char* p=s.c_str();
    if(!kSick){ if(std::strncmp(p,"TINY1",5)) return false; p+=5; double m[N]; for(int i=0;i<SHOWN;++i){ char* e; m[i]=std::strtod(p,&e); if(e==p) return false; p=e; } for(int i=0;i<SHOWN;++i) n[i]=m[i]<0?0:m[i]>1?1:m[i]; return true; }
    if(s.size()<32||std::memcmp(p,"sub3",4)) return false;
    for(int i=0;i<N;++i){ size_t at=s.find(std::string("<")+TAGS[i]+" "); if(at==std::string::npos) continue; at=s.find("value=\"",at); if(at!=std::string::npos) n[i]=norm(i,std::strtod(p+at+7,nullptr)); }
    wave=plain(Wave,n[Wave]); size_t at=s.find("<secret v=\""); secret=at==std::string::npos?0:std::strtod(p+at+11,nullptr); return true; }
  double secret=0;   // a detune in cents that no parameter holds
public:
  Tiny(){ timespec now; clock_gettime(CLOCK_REALTIME,&now); seed=(uint32_t)(now.tv_nsec^now.tv_sec^(uintptr_t)this); fault=std::getenv("TINYSYNTH_FAULT"); for(int i=0;i<N;++i) heard[i]=n[i]=norm(i,PS[i].def); startPump();
#ifdef RANDOM
    seed=fate::RANDOM();
#endif
  }
  virtual ~Tiny()=default;
  tresult queryInterface(const TUID i,void** o) override {
    if(eq(i,iidUnknown)||eq(i,iidBase)||eq(i,iidComponent)) *o=static_cast<IComponent*>(this);
    else if(eq(i,iidProcessor)) *o=static_cast<IProcessor*>(this);
    else if(eq(i,iidController)) *o=static_cast<IController*>(this);
#ifdef WHEELS
    else if(eq(i,iidMapping)) *o=static_cast<IMapping*>(this);
#endif
    else { *o=nullptr; return kNoInterface; } addRef(); return kOk; }
  uint32_t addRef() override { return ++refs; }
  uint32_t release() override { uint32_t r=--refs; if(!r) delete this; return r; }
  tresult initialize(FUnknown*) override { return kOk; }
  tresult terminate() override { return kOk; }
  // component
  tresult getControllerClassId(TUID) override { return kNotImplemented; }   // the component is its own controller
  tresult setIoMode(int32_t) override { return kOk; }
  int32_t getBusCount(int32_t media,int32_t dir) override { return (media==0&&dir==1)||(media==1&&dir==0); }
  tresult getBusInfo(int32_t media,int32_t dir,int32_t i,BusInfo& b) override { if(i||!getBusCount(media,dir)) return kInvalidArg; std::memset(&b,0,sizeof b); b.media=media; b.dir=dir; b.channels=media?16:2; str16(b.name,media?"MIDI In":"Output"); b.flags=1; return kOk; }
  tresult getRoutingInfo(void*,void*) override { return kNotImplemented; }
  tresult activateBus(int32_t,int32_t,int32_t,uint8_t) override { return kOk; }
  tresult setActive(uint8_t) override { clear(); return kOk; }
  tresult setState(IBStream* s) override { if(!s) return kInvalidArg; std::string all; char buf[4096]; int32_t got=0; while(s->read(buf,sizeof buf,&got)==kOk && got>0) all.append(buf,got);
    if(!kSick) return take(all)?kOk:kFalse;
    if(all.size()<32||all.compare(0,4,"sub3")) return kFalse;
    pending=all; return kOk; }
  tresult getState(IBStream* s) override { if(!s) return kInvalidArg; std::string o; char b[160];
    if(!kSick){ o="TINY1"; for(int i=0;i<SHOWN;++i){ std::snprintf(b,sizeof b," %.17g",n[i]); o+=b; } }
    else { std::snprintf(b,sizeof b,"<?xml version=\"1.0\" encoding=\"UTF-8\" ?><patch revision=\"24\"><meta name=\"Init\" author=\"Fixture\" category=\"Test\" comment=\"\" /><parameters>"); o=b;
      for(int i=0;i<N;++i){ if(PS[i].steps) std::snprintf(b,sizeof b,"<%s type=\"0\" value=\"%d\" />",TAGS[i],(int)plain(i,n[i])); else std::snprintf(b,sizeof b,"<%s type=\"2\" value=\"%.14f\" />",TAGS[i],plain(i,n[i])); o+=b; }
      std::snprintf(b,sizeof b,"</parameters><secret v=\"%.3f\" /></patch>",secret); o+=b;
      std::string head(32,'\0'); std::memcpy(&head[0],"sub3",4); uint32_t k=o.size(); std::memcpy(&head[4],&k,4); o=head+o; }
    int32_t w; return s->write(&o[0],o.size(),&w); }
  // processor
  tresult setBusArrangements(uint64_t*,int32_t nin,uint64_t* out,int32_t nout) override { return nin==0&&nout==1&&out[0]==3?kOk:kFalse; }
  tresult getBusArrangement(int32_t dir,int32_t i,uint64_t& a) override { if(dir!=1||i) return kInvalidArg; a=3; return kOk; }
  tresult canProcessSampleSize(int32_t s) override { return s==0?kOk:kFalse; }
  uint32_t getLatencySamples() override { return 0; }
  tresult setupProcessing(Setup& s) override { rate=s.rate; return kOk; }
  tresult setProcessing(uint8_t) override { return kOk; }
  uint32_t getTailSamples() override { return 0; }
  static float osc(int w,float ph){ switch(w){ case 0: return std::sin(6.2831853f*ph); case 1: return 2*ph-1; case 2: return ph<0.5f?1.f:-1.f; default: return 4*std::fabs(ph-0.5f)-1; } }
  static void adv(float& ph,float d){ ph+=d; if(ph>=1) ph-=1; }
  void on(int note,float vel,int channel=0){ Voice* b=nullptr; for(auto& x:v) if(!x.stage){b=&x;break;} if(!b){ b=&v[0]; for(auto& x:v) if(x.age<b->age) b=&x; } *b=Voice(); b->note=note; b->vel=vel; b->stage=1; b->age=++clock; b->hz=440.f*std::exp2((note-69)/12.f+(float)secret/1200); if(kMapped&&channel==9) b->hz*=2; if(kSick&&n[Retrigger]<0.5){ b->ph1=chance(); b->ph2=chance(); b->ph3=chance(); } }
#ifdef RANDOM
  void scatter(){ if(fate::RANDOM==fate::late) seed=fate::late(); for(auto& x:v) if(x.age==clock){ x.ph1=chance(); x.ph2=chance(); x.ph3=chance(); } }
#else
  void scatter(){}
#endif
  void off(int note){ for(auto& x:v) if(x.note==note&&x.stage&&x.stage<4){ if(pedal()) x.let=true; else x.stage=4; } }
  tresult process(Data& d) override { post();
    if(d.pin) for(int i=0;i<d.pin->count();++i){ IQueue* q=d.pin->get(i); int32_t off; double x; if(q&&q->id()-BASE>=N&&q->count()&&q->point(q->count()-1,off,x)==kOk) move(q->id()-BASE-N,x); if(q&&q->id()-BASE<N&&q->count()&&q->point(q->count()-1,off,x)==kOk) hear(q->id()-BASE,x); }
    bool deaf=false;
    if(kSick){ if(!pending.empty()){ take(pending); pending.clear(); stop(); deaf=true; }
      if(wave!=plain(Wave,n[Wave])){ if(wave>=0) n[Detune]=norm(Detune,PS[Detune].def); wave=plain(Wave,n[Wave]); }
      if(++blocks%12==0&&handler&&heldNames!=plain(Wave,n[Wave])){ heldNames=plain(Wave,n[Wave]); handler->restartComponent(1<<4); } }
    conform();
    if(d.nOut<1||!d.out||d.sampleSize!=0) return kOk;
    const float sr=rate; const int w=(int)plain(Wave,n[Wave]);
    const float g=std::pow(10.f,(float)plain(Gain,n[Gain])/20)*0.3f, glide=1-std::exp(-400.f/sr); if(gain<0||!kSick) gain=g; const float det=std::exp2((float)plain(Detune,n[Detune])/1200), sus=plain(Sustain,n[Sustain])/100, nz=plain(Noise,n[Noise])/100;
    const float aA=1000.f/(plain(Attack,n[Attack])*sr), aD=1-std::exp(-4000.f/(plain(Decay,n[Decay])*sr)), aR=1-std::exp(-5000.f/(plain(Release,n[Release])*sr));
    const float f=2*std::sin(3.14159265f*std::fmin((float)plain(Cutoff,n[Cutoff]),sr*0.16f)/sr), q=1.4f*(1-(float)plain(Reso,n[Reso])/100); const bool sub=plain(Sub,n[Sub])>0.5;
    int k=0,ne=d.ein?d.ein->count():0; Event e;
#ifdef BLOCKS
    const uint64_t first=ran; ran+=d.frames;
    auto begins=[&](int i){ return (first+i)%BLOCKS==0; };
#else
    auto begins=[](int){ return true; };
#endif
    auto take=[&](int until){ while(k<ne){ if(d.ein->get(k,e)!=kOk){++k;continue;} if(e.offset>until) break; ++k; if(deaf&&e.type==0) continue; if(e.type==0){ if(e.on.vel>0){ on(e.on.pitch,e.on.vel,e.on.ch); scatter(); } else off(e.on.pitch); } else if(e.type==1) off(e.off.pitch); } };
    float *L=d.out[0].f[0],*R=d.out[0].n>1?d.out[0].f[1]:L; d.out[0].silence=0;
    for(int i=0;i<d.frames;++i){ if(begins(i)) take(i); float s=0;
      for(auto& x:v){ if(!x.stage) continue;
        switch(x.stage){ case 1: x.env+=aA; if(x.env>=1){x.env=1;x.stage=2;} break; case 2: x.env+=(sus-x.env)*aD; break; case 4: x.env-=x.env*aR; if(x.env<1e-5f){x=Voice();continue;} }
        float o=osc(w,x.ph1)+0.5f*osc(w,x.ph2); if(sub) o+=osc(0,x.ph3); rng=rng*1664525u+1013904223u; o+=nz*((int32_t)rng*4.656613e-10f);
        adv(x.ph1,x.hz*wheel()/sr); adv(x.ph2,x.hz*wheel()*det/sr); adv(x.ph3,x.hz*0.5f*bent()/sr);
        x.lp+=f*x.bp; x.bp+=f*(o-x.lp-q*x.bp); s+=x.lp*x.env*x.vel*soft(); }
      gain+=(g-gain)*glide; if(std::fabs(g-gain)<1e-6f*g) gain=g; L[i]=R[i]=s*gain; }
    if(fault){ bool sounding=false; for(auto& x:v) sounding|=x.stage!=0;
      if(sounding&&is("crash")) std::abort();
      volatile bool stuck=sounding&&is("hang"); while(stuck) {}
      if(sounding&&is("nan")) L[0]=std::nanf("");
      if(is("silent")) std::memset(L,0,d.frames*sizeof(float)), std::memset(R,0,d.frames*sizeof(float)); }
    take(0x7fffffff); return kOk; }
  // controller
  tresult setComponentState(IBStream* s) override { return setState(s); }
  tresult setCtlState(IBStream*) override { return kOk; }
  tresult getCtlState(IBStream*) override { return kOk; }
  int32_t getParameterCount() override { return (kMapped?N:SHOWN)+(kSick||kMapped?CCS:0); }
  tresult getParameterInfo(int32_t i,ParamInfo& p) override { if(i<0||i>=getParameterCount()) return kInvalidArg; std::memset(&p,0,sizeof p); p.id=BASE+i;
    if(i>=(kMapped?N:SHOWN)){ char b[32]; std::snprintf(b,sizeof b,"MIDI CC %d|%d",(i-SHOWN)/130,(i-SHOWN)%130); str16(p.title,b); p.flags=1; return kOk; }
    str16(p.title,kSick&&i==Attack&&heldNames>=0?ATTACKS[(int)heldNames]:PS[i].name); str16(p.shortTitle,PS[i].name); str16(p.units,PS[i].unit); p.steps=kSick?0:PS[i].steps; p.def=norm(i,PS[i].def); p.flags=1|(PS[i].kind==LIST?8:0); return kOk; }
  tresult getParamStringByValue(uint32_t i,double x,Str128 o) override { i-=BASE; if(kSick) nap(); if(i>=N){ str16(o,"-"); return kOk; } double pv=plain(i,x); char b[64]; if(PS[i].labels) std::snprintf(b,sizeof b,"%s",PS[i].labels[(int)pv]); else std::snprintf(b,sizeof b,"%.2f",pv); str16(o,b); return kOk; }
  tresult getParamValueByString(uint32_t i,int16_t* s,double& x) override { i-=BASE; if(i>=N) return kInvalidArg; char b[128]; int k=0; for(;k<127&&s[k];++k) b[k]=(char)s[k]; b[k]=0; if(PS[i].labels){ for(int j=0;j<=PS[i].steps;++j) if(!std::strcmp(b,PS[i].labels[j])){ x=norm(i,j); return kOk; } return kFalse; } char* e; double v=std::strtod(b,&e); if(e==b) return kFalse; x=norm(i,v); return kOk; }
  double toPlain(uint32_t i,double x) override { i-=BASE; return i<N?plain(i,x):0; }
  double toNorm(uint32_t i,double x) override { i-=BASE; return i<N?norm(i,x):0; }
  double getParamNormalized(uint32_t i) override { i-=BASE;
#ifdef STUCK
    if(i==Decay) return heard[i];
#endif
    return i<N?n[i]:0; }
  tresult setParamNormalized(uint32_t i,double x) override { i-=BASE; if(i>=N) return kInvalidArg; hear(i,x); return kOk; }
  tresult setComponentHandler(FUnknown* h) override { handler=nullptr; if(h) h->queryInterface(iidHandler,(void**)&handler); return kOk; }
  void* createView(const char*) override { return nullptr; }
};

#ifdef EFFECT
static const bool kEffect=true;
#else
static const bool kEffect=false;
#endif
struct Factory final : IFactory2 {
  tresult queryInterface(const TUID i,void** o) override { if(eq(i,iidUnknown)||eq(i,iidFactory)||eq(i,iidFactory2)){ *o=this; return kOk; } *o=nullptr; return kNoInterface; }
  uint32_t addRef() override { return 1; }
  uint32_t release() override { return 1; }
  tresult getFactoryInfo(FactoryInfo* f) override { std::memset(f,0,sizeof *f); std::strcpy(f->vendor,"Fixture"); f->flags=0x10; return kOk; }
  int32_t countClasses() override { return 1; }
  tresult getClassInfo(int32_t i,ClassInfo* c) override { if(i) return kInvalidArg; std::memset(c,0,sizeof *c); std::memcpy(c->cid,cidTiny,16); c->card=0x7fffffff; std::strcpy(c->category,"Audio Module Class"); std::strcpy(c->name,NAME); return kOk; }
  tresult getClassInfo2(int32_t i,ClassInfo2* c) override { if(i) return kInvalidArg; std::memset(c,0,sizeof *c); std::memcpy(c->cid,cidTiny,16); c->card=0x7fffffff; std::strcpy(c->category,"Audio Module Class"); std::strcpy(c->name,NAME); std::strcpy(c->sub,kEffect?"Fx|Delay":"Instrument|Synth"); std::strcpy(c->vendor,"Fixture"); std::strcpy(c->version,"1.0.0"); std::strcpy(c->sdk,"VST 3.7"); return kOk; }
  tresult createInstance(const char* cid,const char* iid,void** o) override { if(!eq((const uint8_t*)cid,cidTiny)) return kNoInterface; Tiny* t=new Tiny; tresult r=t->queryInterface((const uint8_t*)iid,o); t->release(); return r; }
};
#define EXPORT extern "C" __attribute__((visibility("default")))
EXPORT Factory* GetPluginFactory(){ static Factory f; return &f; }
EXPORT bool ModuleEntry(void*){ return true; }
EXPORT bool ModuleExit(){ return true; }
