// RE2 behind a C face: a set of patterns, compiled once, matched on any thread. Prints nothing, throws nothing.
#ifndef TORHAUS_CRE2_H
#define TORHAUS_CRE2_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct th_re2_set th_re2_set;

enum th_re2_result {
  TH_RE2_OK = 0,
  TH_RE2_SYNTAX = -1,     // not RE2's syntax
  TH_RE2_TOO_LARGE = -2,  // the program of one pattern, or of the set, is beyond its limit
  TH_RE2_EMPTY = -3,      // matches the empty string
  TH_RE2_FAILED = -4      // out of memory
};

// An empty set; NULL without memory. `program_limit` is per pattern, in RE2 instructions; `max_mem` is for the set.
th_re2_set *th_re2_set_new(int64_t max_mem, int32_t program_limit);
void th_re2_set_free(th_re2_set *set);

// Adds a pattern. On TH_RE2_SYNTAX `error` holds RE2's reason, cut to `error_size` with its zero.
int th_re2_set_add(th_re2_set *set, const char *pattern, size_t length, char *error, size_t error_size);
int th_re2_set_compile(th_re2_set *set);

// Which patterns occur: writes 0 or 1 into `which`, a byte per pattern. If RE2's automaton runs out of memory every
// pattern counts as possible, so that "no match" is never said by mistake.
int th_re2_set_which(const th_re2_set *set, const char *text, size_t length, uint8_t *which);

// The leftmost-longest match of one pattern at or behind `from`: 1 with its ends, 0 for none.
int th_re2_set_find(const th_re2_set *set, int pattern, const char *text, size_t length, size_t from, size_t *start,
                    size_t *end);

#ifdef __cplusplus
}
#endif

#endif
