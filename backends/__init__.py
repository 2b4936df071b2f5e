"""Built-in synths: Vital, VST3 instruments, Faust programs, and VST2 and LV2 plugins."""
