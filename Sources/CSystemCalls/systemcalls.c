#define _GNU_SOURCE
#include "systemcalls.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef SOL_UDP
#define SOL_UDP 17
#endif

_Static_assert(sizeof(struct sl_segment_control) == CMSG_SPACE(sizeof(uint16_t)), "one control message");
_Static_assert(offsetof(struct sl_segment_control, value) == sizeof(struct cmsghdr), "data follows the header");
_Static_assert(offsetof(struct sl_send_control, class_length) == CMSG_SPACE(sizeof(uint16_t)), "one after the other");
_Static_assert(sizeof(struct sl_send_control) - offsetof(struct sl_send_control, class_length) == CMSG_SPACE(sizeof(int)),
               "a second control message");
_Static_assert(sizeof(struct sl_message) == sizeof(struct mmsghdr), "sl_message must match mmsghdr");

static socklen_t address_length(const union sl_address *address) {
  return address->any.sa_family == AF_INET6 ? sizeof address->v6 : sizeof address->v4;
}

static int close_and_fail(int descriptor) {
  int error = errno;
  close(descriptor);
  return -error;
}

// The forced variant ignores the system-wide maximum but needs a privilege; fall back to the plain one.
static void set_buffer(int descriptor, int forced, int plain, int bytes) {
  if (bytes > 0 && setsockopt(descriptor, SOL_SOCKET, forced, &bytes, sizeof bytes) != 0)
    setsockopt(descriptor, SOL_SOCKET, plain, &bytes, sizeof bytes);
}

int sl_udp_open(const union sl_address *address, int receive_buffer, int send_buffer, int reuse_port) {
  int descriptor = socket(address->any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -errno;
  int on = 1;
  if (address->any.sa_family == AF_INET6) setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (reuse_port) setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  set_buffer(descriptor, SO_RCVBUFFORCE, SO_RCVBUF, receive_buffer);
  set_buffer(descriptor, SO_SNDBUFFORCE, SO_SNDBUF, send_buffer);
  if (bind(descriptor, &address->any, address_length(address)) != 0) return close_and_fail(descriptor);
  return descriptor;
}

void sl_udp_set_class(int descriptor, const union sl_address *address, uint8_t traffic_class) {
  int value = traffic_class;
  if (address->any.sa_family == AF_INET6)
    setsockopt(descriptor, IPPROTO_IPV6, IPV6_TCLASS, &value, sizeof value);
  else
    setsockopt(descriptor, IPPROTO_IP, IP_TOS, &value, sizeof value);
}

int sl_udp_enable_gro(int descriptor) {
  int on = 1;
  return setsockopt(descriptor, SOL_UDP, UDP_GRO, &on, sizeof on) == 0;
}

int sl_udp_enable_arrival_times(int descriptor) {
  int on = 1;
  return setsockopt(descriptor, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) == 0;
}

int sl_tcp_listen(const union sl_address *address, int backlog) {
  int descriptor = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -errno;
  int on = 1;
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address->any.sa_family == AF_INET6) setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (bind(descriptor, &address->any, address_length(address)) != 0 || listen(descriptor, backlog) != 0)
    return close_and_fail(descriptor);
  return descriptor;
}

int sl_tcp_accept(int descriptor, union sl_address *peer) {
  socklen_t length = sizeof *peer;
  int connection = accept4(descriptor, &peer->any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (connection < 0) return -errno;
  int on = 1;
  setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return connection;
}

int sl_tcp_connect(const union sl_address *address) {
  int descriptor = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -errno;
  int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(descriptor, &address->any, address_length(address)) != 0 && errno != EINPROGRESS)
    return close_and_fail(descriptor);
  return descriptor;
}

int sl_socket_error(int descriptor) {
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return errno;
  return error;
}

int sl_local_address(int descriptor, union sl_address *address) {
  socklen_t length = sizeof *address;
  return getsockname(descriptor, &address->any, &length) == 0 ? 0 : -errno;
}

int sl_receive(int descriptor, struct sl_message *messages, unsigned count) {
  int received = recvmmsg(descriptor, (struct mmsghdr *)messages, count, MSG_DONTWAIT, NULL);
  if (received >= 0) return received;
  return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

int sl_send(int descriptor, struct sl_message *messages, unsigned count) {
  int sent = sendmmsg(descriptor, (struct mmsghdr *)messages, count, MSG_DONTWAIT);
  if (sent >= 0) return sent;
  return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? 0 : -errno;
}

int sl_gro_segment_size(const struct sl_message *message) {
  struct msghdr *header = (struct msghdr *)&message->header;
  for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control; control = CMSG_NXTHDR(header, control)) {
    if (control->cmsg_level == SOL_UDP && control->cmsg_type == UDP_GRO) {
      int size = 0;
      memcpy(&size, CMSG_DATA(control), sizeof size);
      return size;
    }
  }
  return 0;
}

uint64_t sl_arrival_realtime_nanoseconds(const struct sl_message *message) {
  struct msghdr *header = (struct msghdr *)&message->header;
  for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control; control = CMSG_NXTHDR(header, control)) {
    if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SO_TIMESTAMPNS) {
      struct timespec time;
      memcpy(&time, CMSG_DATA(control), sizeof time);
      return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
    }
  }
  return 0;
}

void sl_send_control_init(struct sl_send_control *control) {
  memset(control, 0, sizeof *control);
  control->segment.level = SOL_UDP;
  control->segment.type = UDP_SEGMENT;
  control->segment.length = CMSG_LEN(sizeof(uint16_t));
  control->class_length = CMSG_LEN(sizeof(int));
}

void sl_send_control_set_class(struct sl_send_control *control, int family, uint8_t traffic_class) {
  control->class_level = family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
  control->class_type = family == AF_INET6 ? IPV6_TCLASS : IP_TOS;
  control->traffic_class = traffic_class;
}

int sl_epoll_create(void) {
  int descriptor = epoll_create1(EPOLL_CLOEXEC);
  return descriptor >= 0 ? descriptor : -errno;
}

static int epoll_control(int epoll, int operation, int descriptor, uint32_t events, uint64_t token) {
  struct epoll_event event = {.events = events, .data.u64 = token};
  return epoll_ctl(epoll, operation, descriptor, &event) == 0 ? 0 : -errno;
}

int sl_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t token) {
  return epoll_control(epoll, EPOLL_CTL_ADD, descriptor, events, token);
}

int sl_epoll_modify(int epoll, int descriptor, uint32_t events, uint64_t token) {
  return epoll_control(epoll, EPOLL_CTL_MOD, descriptor, events, token);
}

int sl_epoll_remove(int epoll, int descriptor) {
  return epoll_control(epoll, EPOLL_CTL_DEL, descriptor, 0, 0);
}

int sl_epoll_wait(int epoll, struct epoll_event *events, int capacity, int64_t timeout_nanoseconds) {
  struct timespec limit = {timeout_nanoseconds / 1000000000, timeout_nanoseconds % 1000000000};
  int ready = epoll_pwait2(epoll, events, capacity, timeout_nanoseconds < 0 ? NULL : &limit, NULL);
  // Linux before 5.11, and sandboxes that do not know the call: milliseconds must do.
  if (ready < 0 && (errno == ENOSYS || errno == EPERM)) {
    int64_t milliseconds = timeout_nanoseconds / 1000000 + (timeout_nanoseconds % 1000000 > 0);
    if (milliseconds > INT_MAX) milliseconds = INT_MAX;
    ready = epoll_wait(epoll, events, capacity, timeout_nanoseconds < 0 ? -1 : (int)milliseconds);
  }
  if (ready >= 0) return ready;
  return errno == EINTR ? 0 : -errno;
}

uint64_t sl_epoll_token(const struct epoll_event *event) { return event->data.u64; }

int sl_eventfd_create(void) {
  int descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  return descriptor >= 0 ? descriptor : -errno;
}

void sl_eventfd_signal(int descriptor) {
  uint64_t one = 1;
  if (write(descriptor, &one, sizeof one) < 0) return;  // full means that it is signalled already
}

void sl_eventfd_drain(int descriptor) {
  uint64_t value;
  if (read(descriptor, &value, sizeof value) < 0) return;
}

int sl_pin_thread(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  return sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : -errno;
}

void sl_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

int sl_nice_thread(int value) { return setpriority(PRIO_PROCESS, 0, value) == 0 ? 0 : -errno; }

int sl_realtime_thread(void) {
  struct sched_param parameters = {.sched_priority = sched_get_priority_min(SCHED_RR)};
  return sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &parameters) == 0 ? 0 : -errno;
}

static uint64_t nanoseconds(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

uint64_t sl_thread_cpu_nanoseconds(void) { return nanoseconds(CLOCK_THREAD_CPUTIME_ID); }
uint64_t sl_monotonic_nanoseconds(void) { return nanoseconds(CLOCK_MONOTONIC); }
uint64_t sl_realtime_nanoseconds(void) { return nanoseconds(CLOCK_REALTIME); }

int sl_each_interface_address(void (*visit)(void *, const struct sockaddr *, const char *), void *context) {
  struct ifaddrs *list = NULL;
  if (getifaddrs(&list) != 0) return -errno;
  for (struct ifaddrs *entry = list; entry; entry = entry->ifa_next)
    if (entry->ifa_addr && (entry->ifa_flags & IFF_UP)) visit(context, entry->ifa_addr, entry->ifa_name);
  freeifaddrs(list);
  return 0;
}
