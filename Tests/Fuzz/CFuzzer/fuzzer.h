// libFuzzer as a function: the program has a `main` of its own. Linked in by -sanitize=fuzzer.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef int (*cfuzzer_callback)(const uint8_t *data, size_t size);
extern int LLVMFuzzerRunDriver(int *argc, char ***argv, cfuzzer_callback callback);
