/* Where code bytes live. No Python. */
#ifndef FTJIT_HEAP_H
#define FTJIT_HEAP_H
#include <stdbool.h>
#include <stdint.h>

struct region;
struct region *region_create(uint64_t size);
char *region_base(struct region *);
int region_seal(struct region *, const char *bytes, uint64_t size);
void region_release(struct region *);
void region_hold(struct region *);
bool heap_poisons(void);
#endif
