// Kernel interfaces that Swift cannot call by itself: epoll and eventfd constants, and one-shot AIO polls (aio_abi.h).
#ifndef TORHAUS_CLINUX_SHIM_H
#define TORHAUS_CLINUX_SHIM_H

#include <linux/aio_abi.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// The head of the completion ring that io_setup maps into the process (fs/aio.c, struct aio_ring).
struct th_aio_ring {
  uint32_t id, nr, head, tail, magic, compat_features, incompat_features, header_length;
};

static inline int th_aio_setup(uint32_t events, aio_context_t *context) {
  return (int)syscall(SYS_io_setup, events, context);
}

static inline void th_aio_destroy(aio_context_t context) { syscall(SYS_io_destroy, context); }

// Asks once to be told, through `signal` (an eventfd), when `descriptor` is readable. 0 on success.
static inline int th_aio_poll(aio_context_t context, int descriptor, int signal) {
  struct iocb block;
  memset(&block, 0, sizeof block);
  block.aio_lio_opcode = IOCB_CMD_POLL;
  block.aio_fildes = (uint32_t)descriptor;
  block.aio_buf = POLLIN;
  block.aio_flags = IOCB_FLAG_RESFD;
  block.aio_resfd = (uint32_t)signal;
  struct iocb *list[1] = {&block};
  return syscall(SYS_io_submit, context, 1, list) == 1 ? 0 : -1;
}

// Drops all completions, in user space where the ring has the known layout. How many there were.
static inline int th_aio_drain(aio_context_t context) {
  struct th_aio_ring *ring = (struct th_aio_ring *)context;
  if (ring->magic == 0xa10a10a1u && ring->nr) {
    uint32_t tail = __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);
    uint32_t head = ring->head;
    int count = (int)((tail + ring->nr - head) % ring->nr);
    __atomic_store_n(&ring->head, tail, __ATOMIC_RELEASE);
    return count;
  }
  struct io_event events[8];
  struct timespec none = {0, 0};
  int count = (int)syscall(SYS_io_getevents, context, 0, 8, events, &none);
  return count < 0 ? 0 : count;
}

static inline uint32_t th_epoll_edge(void) { return EPOLLET; }
static inline int th_epoll_event_fd(const struct epoll_event *event) { return event->data.fd; }
static inline int th_epoll_control(int set, int operation, int descriptor, uint32_t interest) {
  struct epoll_event event;
  memset(&event, 0, sizeof event);
  event.events = interest;
  event.data.fd = descriptor;
  return epoll_ctl(set, operation, descriptor, &event);
}

// 0 on success: from now on no core of this process is written and no other process of its user may read its memory.
static inline int th_forbid_core_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

// The mode bits of a file; -1 if there is none.
static inline int th_file_mode(const char *path) {
  struct stat status;
  return stat(path, &status) == 0 ? (int)(status.st_mode & 07777) : -1;
}

#endif
