#pragma once
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <usrsctp.h>

// What Swift cannot spell: sockaddr casts, a structure with a flexible array, a variadic callback.
// An AF_CONN address is an integer key in our use; usrsctp compares and hashes it and never follows it.

/// The type of usrsctp's outgoing packet callback.
typedef int (*cusrsctp_output_fn)(void *key, void *packet, size_t length, uint8_t tos, uint8_t set_df);

/// The type of usrsctp's incoming message callback; `data` belongs to the callee, who calls free().
typedef int (*cusrsctp_receive_fn)(
    struct socket *socket, union sctp_sockstore address, void *data, size_t length, struct sctp_rcvinfo info, int flags,
    void *key);

/// errno, which is a macro.
static inline int cusrsctp_errno(void) { return errno; }

/// Starts the library: no threads of its own, no UDP encapsulation, no log output.
static inline void cusrsctp_start(cusrsctp_output_fn output) { usrsctp_init_nothreads(0, output, NULL); }

static inline struct sockaddr_conn cusrsctp_address(uintptr_t key, uint16_t port) {
  struct sockaddr_conn address;
  memset(&address, 0, sizeof address);
  address.sconn_family = AF_CONN;
  address.sconn_port = htons(port);
  address.sconn_addr = (void *)key;
  return address;
}

/// A one-to-one AF_CONN socket; null with errno set when there is none to be had.
static inline struct socket *cusrsctp_socket(uintptr_t key, cusrsctp_receive_fn receive) {
  return usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, receive, NULL, 0, (void *)key);
}

/// 0 or errno.
static inline int cusrsctp_bind(struct socket *socket, uintptr_t key, uint16_t port) {
  struct sockaddr_conn address = cusrsctp_address(key, port);
  return usrsctp_bind(socket, (struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;
}

/// 0 or errno; a started handshake is EINPROGRESS.
static inline int cusrsctp_connect(struct socket *socket, uintptr_t key, uint16_t port) {
  struct sockaddr_conn address = cusrsctp_address(key, port);
  return usrsctp_connect(socket, (struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;
}

/// Fixes the size of SCTP packets towards the peer and switches path MTU discovery off; 0 or errno.
static inline int cusrsctp_fix_mtu(struct socket *socket, uintptr_t key, uint16_t port, uint32_t mtu) {
  struct sockaddr_conn address = cusrsctp_address(key, port);
  struct sctp_paddrparams parameters;
  memset(&parameters, 0, sizeof parameters);
  memcpy(&parameters.spp_address, &address, sizeof address);
  parameters.spp_flags = SPP_PMTUD_DISABLE;
  parameters.spp_pathmtu = mtu;
  return usrsctp_setsockopt(socket, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &parameters, sizeof parameters) == 0 ? 0
                                                                                                              : errno;
}

/// Makes usrsctp_close() abort the association instead of lingering; 0 or errno.
static inline int cusrsctp_abort_on_close(struct socket *socket) {
  struct linger linger = {.l_onoff = 1, .l_linger = 0};
  return usrsctp_setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == 0 ? 0 : errno;
}

/// Sends one whole message or nothing; 0 or errno.
static inline int cusrsctp_send(
    struct socket *socket, const void *data, size_t length, uint16_t stream, uint32_t ppid, int unordered,
    uint16_t policy, uint32_t policy_value) {
  struct sctp_sendv_spa info;
  memset(&info, 0, sizeof info);
  info.sendv_flags = SCTP_SEND_SNDINFO_VALID;
  info.sendv_sndinfo.snd_sid = stream;
  info.sendv_sndinfo.snd_ppid = htonl(ppid);
  info.sendv_sndinfo.snd_flags = SCTP_EOR | (unordered ? SCTP_UNORDERED : 0);
  if (policy != SCTP_PR_SCTP_NONE) {
    info.sendv_flags |= SCTP_SEND_PRINFO_VALID;
    info.sendv_prinfo.pr_policy = policy;
    info.sendv_prinfo.pr_value = policy_value;
  }
  ssize_t sent = usrsctp_sendv(socket, data, length, NULL, 0, &info, sizeof info, SCTP_SENDV_SPA, 0);
  if (sent < 0) return errno;
  return (size_t)sent == length ? 0 : EMSGSIZE;
}

/// The payload bytes that wait to be sent or acknowledged, with their chunk headers; -1 when the library cannot tell.
///
/// The option is usrsctp's, but only its internal netinet/sctp.h names it. Where it is not known, the call fails.
static inline int64_t cusrsctp_buffered(struct socket *socket) {
  enum { get_send_buffer_use = 0x1101 };
  struct {
    sctp_assoc_t association;
    uint32_t send_buffer;
    uint32_t receive_buffer;
  } use = {0, 0, 0};
  socklen_t size = sizeof use;
  if (usrsctp_getsockopt(socket, IPPROTO_SCTP, get_send_buffer_use, &use, &size) != 0) return -1;
  return use.send_buffer;
}

/// Asks for one outgoing stream to be reset (RFC 6525 section 5.1.2); 0 or errno.
static inline int cusrsctp_reset_stream(struct socket *socket, uint16_t stream) {
  union {
    struct sctp_reset_streams request;
    uint8_t room[sizeof(struct sctp_reset_streams) + sizeof(uint16_t)];
  } value;
  memset(&value, 0, sizeof value);
  value.request.srs_flags = SCTP_STREAM_RESET_OUTGOING;
  value.request.srs_number_streams = 1;
  memcpy(value.room + sizeof(struct sctp_reset_streams), &stream, sizeof stream);
  return usrsctp_setsockopt(socket, IPPROTO_SCTP, SCTP_RESET_STREAMS, &value, sizeof value) == 0 ? 0 : errno;
}
