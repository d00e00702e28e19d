/* Counts what a program asks its allocator for: preloaded, before whatever allocator it is linked with.
 *
 * The counts lie in the file that TORHAUS_ALLOCATIONS names, two 64-bit numbers in the machine's order: calls and bytes. A
 * call that makes a block larger counts as one, with its new size. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct counts {
  uint64_t calls, bytes;
};

static struct counts nowhere;
static struct counts *counts = &nowhere;

static void *(*next_malloc)(size_t);
static void *(*next_calloc)(size_t, size_t);
static void *(*next_realloc)(void *, size_t);
static void (*next_free)(void *);
static int (*next_posix_memalign)(void **, size_t, size_t);
static void *(*next_aligned_alloc)(size_t, size_t);
static void *(*next_memalign)(size_t, size_t);

/* What the loader asks for while the next allocator is looked up; never given back. */
static char early[64 * 1024];
static size_t early_used;

static int is_early(const void *block) { return (const char *)block >= early && (const char *)block < early + sizeof early; }

static void *early_block(size_t size) {
  size = (size + 15) & ~(size_t)15;
  if (size > sizeof early - early_used) return NULL;
  void *block = early + early_used;
  early_used += size;
  return block;
}

__attribute__((constructor)) static void begin(void) {
  static int begun;
  if (begun) return;
  begun = 1;
  next_calloc = dlsym(RTLD_NEXT, "calloc");
  next_realloc = dlsym(RTLD_NEXT, "realloc");
  next_free = dlsym(RTLD_NEXT, "free");
  next_posix_memalign = dlsym(RTLD_NEXT, "posix_memalign");
  next_aligned_alloc = dlsym(RTLD_NEXT, "aligned_alloc");
  next_memalign = dlsym(RTLD_NEXT, "memalign");
  next_malloc = dlsym(RTLD_NEXT, "malloc");
  const char *path = getenv("TORHAUS_ALLOCATIONS");
  int file = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
  if (file < 0) return;
  if (ftruncate(file, sizeof *counts) == 0) {
    void *mapped = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapped != MAP_FAILED) counts = mapped;
  }
  close(file);
}

static void count(size_t size) {
  __atomic_fetch_add(&counts->calls, 1, __ATOMIC_RELAXED);
  __atomic_fetch_add(&counts->bytes, size, __ATOMIC_RELAXED);
}

void *malloc(size_t size) {
  if (!next_malloc) begin();
  if (!next_malloc) return early_block(size);
  count(size);
  return next_malloc(size);
}

void *calloc(size_t number, size_t size) {
  size_t whole;
  if (__builtin_mul_overflow(number, size, &whole)) {
    errno = ENOMEM;
    return NULL;
  }
  if (!next_calloc) return early_block(whole); /* static memory is zero */
  count(whole);
  return next_calloc(number, size);
}

void *realloc(void *block, size_t size) {
  if (!block) return malloc(size);
  if (is_early(block)) {
    void *made = malloc(size);
    size_t rest = early + sizeof early - (char *)block;
    if (made) memcpy(made, block, size < rest ? size : rest);
    return made;
  }
  if (!next_realloc) return NULL;
  count(size);
  return next_realloc(block, size);
}

void free(void *block) {
  if (block && !is_early(block) && next_free) next_free(block);
}

int posix_memalign(void **block, size_t alignment, size_t size) {
  if (!next_posix_memalign) return ENOMEM;
  count(size);
  return next_posix_memalign(block, alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  if (!next_aligned_alloc) return NULL;
  count(size);
  return next_aligned_alloc(alignment, size);
}

void *memalign(size_t alignment, size_t size) {
  if (!next_memalign) return NULL;
  count(size);
  return next_memalign(alignment, size);
}
