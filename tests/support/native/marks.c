/* A library that does something as soon as it is loaded: it makes the file MARK. */
#include <stdio.h>

__attribute__((constructor)) static void loaded(void) {
    FILE *file = fopen(MARK, "w");
    if (file) fclose(file);
}
