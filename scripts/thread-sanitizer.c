/* Tells the thread sanitizer of Swift's mutexes. Preloaded by scripts/sanitize.sh.
 *
 * Of Synchronization.Mutex the way without contention is compiled into its callers, where the sanitizer sees it; the slow way
 * lies in the library, which is not instrumented, so that whatever two threads do one after the other under a mutex that
 * both wanted would be told as a race. These take the place of the library's functions and call them. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

#define SELF __attribute__((swift_context))
#define SWIFT __attribute__((swiftcall))

/* Of the sanitizer's runtime, which the program brings along. */
extern void __tsan_acquire(void *address) __attribute__((weak));
extern void __tsan_release(void *address) __attribute__((weak));

typedef SWIFT void lock_function(uint32_t thread, SELF void *self);
typedef SWIFT void unlock_function(SELF void *self);

#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

static void *next(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  if (!found) abort();
  return found;
}

SWIFT void lock_slow(uint32_t thread, SELF void *self) __asm__(LOCK);
SWIFT void lock_slow(uint32_t thread, SELF void *self) {
  static lock_function *original;
  if (!original) original = (lock_function *)next(LOCK);
  original(thread, self);
  if (__tsan_acquire) __tsan_acquire(self);
}

SWIFT void unlock_slow(SELF void *self) __asm__(UNLOCK);
SWIFT void unlock_slow(SELF void *self) {
  static unlock_function *original;
  if (!original) original = (unlock_function *)next(UNLOCK);
  if (__tsan_release) __tsan_release(self);
  original(self);
}
