// Linux system calls and structures that Swift cannot import: batched UDP with segmentation offload, epoll, threads.
#pragma once
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>

// Same layout as struct mmsghdr, which Swift's importer hides behind _GNU_SOURCE.
struct sl_message {
  struct msghdr header;
  unsigned int length;
};

// One control message that carries a segment size; laid out as struct cmsghdr and its data.
struct sl_segment_control {
  size_t length;
  int level;
  int type;
  uint16_t value;
  uint16_t padding[3];
};

// What may be said of a message that is sent: how it is split, and after it the traffic class.
struct sl_send_control {
  struct sl_segment_control segment;
  size_t class_length;
  int class_level;
  int class_type;
  int traffic_class;
  int class_padding;
};

// An address of either family, large enough for both.
union sl_address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
};

enum { SL_MAXIMUM_GSO_SEGMENTS = 64 };

// Binds a non-blocking UDP socket. Returns the descriptor or -errno.
int sl_udp_open(const union sl_address *address, int receive_buffer, int send_buffer, int reuse_port);
// The traffic class of what says nothing else, of the family of `address`.
void sl_udp_set_class(int descriptor, const union sl_address *address, uint8_t traffic_class);
// Asks for UDP_GRO; 1 when the kernel has it.
int sl_udp_enable_gro(int descriptor);
// Asks for the kernel's time of arrival with each message; 1 when the kernel has it.
int sl_udp_enable_arrival_times(int descriptor);
// Opens a non-blocking TCP listener. Returns the descriptor or -errno.
int sl_tcp_listen(const union sl_address *address, int backlog);
// Accepts a non-blocking connection. Returns the descriptor or -errno.
int sl_tcp_accept(int descriptor, union sl_address *peer);
// Starts a non-blocking connection. Returns the descriptor or -errno.
int sl_tcp_connect(const union sl_address *address);
// The pending error of a socket (SO_ERROR).
int sl_socket_error(int descriptor);
// Fills in the bound address. 0 or -errno.
int sl_local_address(int descriptor, union sl_address *address);

// Receives up to `count` datagrams without blocking. Number received, 0 when there are none, or -errno.
int sl_receive(int descriptor, struct sl_message *messages, unsigned count);
// Sends up to `count` messages without blocking. Number sent, 0 when the socket is full, or -errno.
int sl_send(int descriptor, struct sl_message *messages, unsigned count);
// The UDP_GRO segment size of a received message, 0 when it is a single datagram.
int sl_gro_segment_size(const struct sl_message *message);
// When the kernel took a received message in (CLOCK_REALTIME), 0 when that was not asked for.
uint64_t sl_arrival_realtime_nanoseconds(const struct sl_message *message);
// Prepares the control messages of a message that is sent.
void sl_send_control_init(struct sl_send_control *control);
// Says for which family the traffic class is: IP_TOS or IPV6_TCLASS.
void sl_send_control_set_class(struct sl_send_control *control, int family, uint8_t traffic_class);

int sl_epoll_create(void);
int sl_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t token);
int sl_epoll_modify(int epoll, int descriptor, uint32_t events, uint64_t token);
int sl_epoll_remove(int epoll, int descriptor);
int sl_epoll_wait(int epoll, struct epoll_event *events, int capacity, int64_t timeout_nanoseconds);
uint64_t sl_epoll_token(const struct epoll_event *event);

int sl_eventfd_create(void);
void sl_eventfd_signal(int descriptor);
void sl_eventfd_drain(int descriptor);

// Pins the calling thread to a core. 0 or -errno.
int sl_pin_thread(int core);
void sl_name_thread(const char *name);
// Has the kernel prefer the calling thread to others (nice value, -20 to 19). 0 or -errno: it may not be allowed.
int sl_nice_thread(int value);
// Has the calling thread run before all that is not in real time (SCHED_RR). 0 or -errno: it may not be allowed.
int sl_realtime_thread(void);
// Nanoseconds of CPU time that the calling thread has used.
uint64_t sl_thread_cpu_nanoseconds(void);
uint64_t sl_monotonic_nanoseconds(void);
uint64_t sl_realtime_nanoseconds(void);

// Calls `visit` with each address of each interface that is up. 0 or -errno.
int sl_each_interface_address(void (*visit)(void *context, const struct sockaddr *address, const char *name), void *context);
