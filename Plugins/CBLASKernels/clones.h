/* One source, several instruction sets: the loader picks the variant that the processor can run. */
#ifndef CLONES_H
#define CLONES_H

#if defined(__x86_64__)
#define BK_CLONES __attribute__((target_clones("arch=x86-64-v3", "arch=x86-64-v4", "default")))
#else
#define BK_CLONES
#endif

#endif
