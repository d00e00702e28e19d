// Kernel interfaces that Swift cannot call by itself: epoll and eventfd constants, calls with structs of pointers.
#ifndef TORHAUS_CLINUX_SHIM_H
#define TORHAUS_CLINUX_SHIM_H

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

static inline int th_epoll_event_fd(const struct epoll_event *event) { return event->data.fd; }
static inline int th_epoll_control(int set, int operation, int descriptor, uint32_t interest) {
  struct epoll_event event;
  memset(&event, 0, sizeof event);
  event.events = interest;
  event.data.fd = descriptor;
  return epoll_ctl(set, operation, descriptor, &event);
}

// Sends two runs of bytes in one call; the number of bytes taken, or -1 with errno. No signal if the peer is gone.
static inline long th_send_two(int socket, const void *first, size_t first_count, const void *second,
                               size_t second_count) {
  struct iovec parts[2] = {{(void *)first, first_count}, {(void *)second, second_count}};
  struct msghdr message;
  memset(&message, 0, sizeof message);
  message.msg_iov = parts;
  message.msg_iovlen = second_count > 0 ? 2 : 1;
  return sendmsg(socket, &message, MSG_NOSIGNAL);
}

// glibc declares it for _GNU_SOURCE only, which a module's header comes too late for.
extern int accept4(int listener, struct sockaddr *address, socklen_t *length, int flags);

// A connected socket that does not block, or -1 with errno; `address` and `length` as of accept(2).
static inline int th_accept(int listener, struct sockaddr *address, socklen_t *length) {
  return accept4(listener, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

// 0 on success: from now on no core of this process is written and no other process of its user may read its memory.
static inline int th_forbid_core_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

// The calling thread's name as the kernel shows it; at most 15 bytes count.
static inline int th_name_thread(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }

// A descriptor that was open when the process began: it does not block, and no program started from here has it.
static inline int th_prepare_inherited(int descriptor) {
  int flags = fcntl(descriptor, F_GETFL);
  if (flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0) return -1;
  return fcntl(descriptor, F_SETFD, FD_CLOEXEC) < 0 ? -1 : 0;
}

// glibc declares it for _GNU_SOURCE only.
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);

// Starts a program whose descriptors from `first` on are `descriptors`, in their order, and that has no others but the
// standard ones; signals are as for a fresh process. The process, or -1.
static inline int th_spawn(const char *program, char *const *arguments, char *const *environment,
                           const int *descriptors, int count, int first) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t all, none;
  pid_t process = -1;
  if (posix_spawn_file_actions_init(&actions) != 0) return -1;
  if (posix_spawnattr_init(&attributes) != 0) {
    posix_spawn_file_actions_destroy(&actions);
    return -1;
  }
  sigfillset(&all);
  sigemptyset(&none);
  int failed = posix_spawnattr_setsigdefault(&attributes, &all) != 0 ||
               posix_spawnattr_setsigmask(&attributes, &none) != 0 ||
               posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK) != 0;
  for (int index = 0; index < count && !failed; index++)
    failed = posix_spawn_file_actions_adddup2(&actions, descriptors[index], first + index) != 0;
  failed = failed || posix_spawn_file_actions_addclosefrom_np(&actions, first + count) != 0;
  if (!failed && posix_spawn(&process, program, &actions, &attributes, arguments, environment) != 0) process = -1;
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return failed ? -1 : (int)process;
}

// The environment, as main got it.
extern char **environ;
static inline char **th_environment(void) { return environ; }

// The mode bits of a file; -1 if there is none.
static inline int th_file_mode(const char *path) {
  struct stat status;
  return stat(path, &status) == 0 ? (int)(status.st_mode & 07777) : -1;
}

// What tells one state of a file from another: where it lies, its length, when it, its owner or its
// mode was changed. 0 if there is none.
struct th_file_stamp {
  uint64_t device, number;
  int64_t size, seconds, nanoseconds;
};
static inline int th_file_state(const char *path, struct th_file_stamp *state) {
  struct stat status;
  if (stat(path, &status) != 0) return 0;
  state->device = (uint64_t)status.st_dev;
  state->number = (uint64_t)status.st_ino;
  state->size = (int64_t)status.st_size;
  state->seconds = (int64_t)status.st_ctim.tv_sec;
  state->nanoseconds = (int64_t)status.st_ctim.tv_nsec;
  return 1;
}


// Whether a path lies on tmpfs: 1, 0, or -1 with errno. The magic number is that of linux/magic.h.
static inline int th_is_tmpfs(const char *path) {
  struct statfs status;
  if (statfs(path, &status) != 0) return -1;
  return status.f_type == 0x01021994;
}

// Copies past the caches, where the processor can: for bytes that another processor reads much later. What lies changed in
// one processor's cache is slow to read for another one.
static inline void th_copy_past_caches(void *to, const void *from, size_t count) {
#if defined(__SSE2__)
  char *out = to;
  const char *in = from;
  size_t head = (size_t)(-(uintptr_t)out) & 15;
  if (head > count) head = count;
  memcpy(out, in, head);
  out += head;
  in += head;
  count -= head;
  for (; count >= 64; count -= 64, in += 64, out += 64) {
    __m128i a = _mm_loadu_si128((const __m128i *)in), b = _mm_loadu_si128((const __m128i *)(in + 16));
    __m128i c = _mm_loadu_si128((const __m128i *)(in + 32)), d = _mm_loadu_si128((const __m128i *)(in + 48));
    _mm_stream_si128((__m128i *)out, a);
    _mm_stream_si128((__m128i *)(out + 16), b);
    _mm_stream_si128((__m128i *)(out + 32), c);
    _mm_stream_si128((__m128i *)(out + 48), d);
  }
  memcpy(out, in, count);
  _mm_sfence();
#else
  memcpy(to, from, count);
#endif
}
#endif
