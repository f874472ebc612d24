#pragma once

// How often the calling thread has asked for memory since it began: malloc, calloc, realloc and their kin.
long allocations_of_thread(void);
