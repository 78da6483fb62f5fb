// The physical limit of a relay on this machine: receive, AES-128-GCM for every viewer, send. Nothing else.
//
// What it does: RTP in the clear from callers over UDP (recvmmsg, UDP_GRO); for every viewer of that caller the header is
// rewritten and the packet is encrypted as SRTP under the viewer's own key, straight into the send buffer (libipsec-mb by
// direct call, or OpenSSL with -DOPENSSL_ONLY); what arrived together goes to a viewer as one message (UDP_SEGMENT), sizes
// that differ by up to three bytes are made equal with RTP padding, and up to BATCH messages go with one system call.
//
// What it does not do: ICE, DTLS, decryption of what callers send, RTCP, retransmission, keyframes, rollover of sequence
// numbers (a run is shorter), timers, and signalling of any kind. Sessions announce themselves by a datagram, see
// Sources/MediaClient/Load/BareHello.swift. It prints its port and runs until it is killed.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#ifdef OPENSSL_ONLY
#include <openssl/evp.h>
#else
#include <intel-ipsec-mb.h>
#endif

enum {
  CALLERS = 64,          // most callers
  VIEWERS = 2048,        // most viewers of one caller
  RUN = 512,             // packets of one caller that are sent on together
  PACKET = 1536,         // largest packet, bytes
  RECEIVE = 16,          // messages of one receive call, up to 64 kB each
  BATCH = 16,            // messages of one send call: what they hold stays in the processor's cache
  SEGMENTS = 44,         // datagrams of one message
  MESSAGE = SEGMENTS * PACKET,
  HEADER = 12,           // RTP header without extension
  TAG = 16,              // what AES-GCM adds
  PADDING = 3,           // bytes that are worth a saved message
};

struct viewer {
#ifdef OPENSSL_ONLY
  EVP_CIPHER_CTX *cipher;
#else
  struct gcm_key_data key __attribute__((aligned(64)));
#endif
  struct sockaddr_in address;
  unsigned char salt[HEADER];
  uint32_t offset;  // added to SSRCs and sequence numbers
};

struct packet {
  int length;
  unsigned char bytes[PACKET];
};

struct caller {
  struct viewer *viewers;
  int count;
  int waiting;  // packets
  struct packet *packets;
};

static struct caller callers[CALLERS];
static int caller_of_port[65536];  // place in `callers` plus one
static int out;
static struct mmsghdr messages[BATCH];
static struct iovec vectors[BATCH];
static union {
  char bytes[CMSG_SPACE(sizeof(uint16_t))];
  struct cmsghdr header;
} controls[BATCH];
static unsigned char *buffer;
static int queued;
static size_t used;
#ifndef OPENSSL_ONLY
static IMB_MGR *manager;
#endif

static uint32_t read32(const unsigned char *bytes) {
  uint32_t value;
  memcpy(&value, bytes, sizeof value);
  return ntohl(value);
}

static void write32(unsigned char *bytes, uint32_t value) {
  value = htonl(value);
  memcpy(bytes, &value, sizeof value);
}

static void set_key(struct viewer *viewer, const unsigned char *key) {
#ifdef OPENSSL_ONLY
  viewer->cipher = EVP_CIPHER_CTX_new();
  EVP_EncryptInit_ex(viewer->cipher, EVP_aes_128_gcm(), NULL, key, NULL);
#else
  IMB_AES128_GCM_PRE(manager, key, &viewer->key);
#endif
}

static inline void seal(struct viewer *viewer, const unsigned char *nonce, unsigned char *packet,
                        const unsigned char *payload, int length) {
#ifdef OPENSSL_ONLY
  int written;
  EVP_EncryptInit_ex(viewer->cipher, NULL, NULL, NULL, nonce);
  EVP_EncryptUpdate(viewer->cipher, NULL, &written, packet, HEADER);
  EVP_EncryptUpdate(viewer->cipher, packet + HEADER, &written, payload, length);
  EVP_EncryptFinal_ex(viewer->cipher, packet + HEADER + length, &written);
  EVP_CIPHER_CTX_ctrl(viewer->cipher, EVP_CTRL_AEAD_GET_TAG, TAG, packet + HEADER + length);
#else
  struct gcm_context_data context;
  IMB_AES128_GCM_ENC(manager, &viewer->key, &context, packet + HEADER, payload, length, nonce, packet, HEADER,
                     packet + HEADER + length, TAG);
#endif
}

// Writes a packet for one viewer; returns its length. The nonce is RFC 7714 §8.1's, with rollover counter 0.
static inline int protect(struct viewer *viewer, const struct packet *packet, unsigned char *target) {
  memcpy(target, packet->bytes, HEADER);
  uint16_t number = (uint16_t)((packet->bytes[2] << 8 | packet->bytes[3]) + viewer->offset);
  target[2] = number >> 8;
  target[3] = number & 0xff;
  write32(target + 8, read32(packet->bytes + 8) + viewer->offset);
  unsigned char nonce[HEADER];
  memcpy(nonce, viewer->salt, HEADER);
  for (int place = 0; place < 4; place++) nonce[2 + place] ^= target[8 + place];
  nonce[10] ^= target[2];
  nonce[11] ^= target[3];
  seal(viewer, nonce, target, packet->bytes + HEADER, packet->length - HEADER);
  return packet->length + TAG;
}

static void flush(void) {
  for (int sent = 0; sent < queued;) {
    int count = sendmmsg(out, messages + sent, queued - sent, MSG_DONTWAIT);
    sent += count > 0 ? count : 1;
  }
  queued = 0;
  used = 0;
}

static void queue(struct viewer *viewer, size_t length, int segment, int segments) {
  struct msghdr *header = &messages[queued].msg_hdr;
  vectors[queued] = (struct iovec){buffer + used, length};
  *header = (struct msghdr){.msg_name = &viewer->address, .msg_namelen = sizeof viewer->address,
                            .msg_iov = &vectors[queued], .msg_iovlen = 1};
  if (segments > 1) {
    header->msg_control = &controls[queued];
    header->msg_controllen = sizeof controls[queued].bytes;
    struct cmsghdr *control = CMSG_FIRSTHDR(header);
    control->cmsg_level = SOL_UDP;
    control->cmsg_type = UDP_SEGMENT;
    control->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    uint16_t value = (uint16_t)segment;
    memcpy(CMSG_DATA(control), &value, sizeof value);
  }
  used = (used + length + 63) & ~(size_t)63;
  if (++queued == BATCH) flush();
}

// Makes sizes equal that nearly are: the kernel wants equal segments, but for a shorter last one.
static void equalise(struct caller *caller) {
  for (int start = 0, end; start < caller->waiting; start = end) {
    int low = caller->packets[start].length, high = low;
    for (end = start + 1; end < caller->waiting; end++) {
      int length = caller->packets[end].length;
      int next_low = length < low ? length : low, next_high = length > high ? length : high;
      if (next_high - next_low > PADDING) break;
      low = next_low;
      high = next_high;
    }
    for (int place = start; place < end; place++) {
      struct packet *packet = &caller->packets[place];
      int missing = high - packet->length;
      if (missing == 0) continue;
      memset(packet->bytes + packet->length, 0, missing);
      packet->bytes[high - 1] = (unsigned char)missing;
      packet->bytes[0] |= 0x20;
      packet->length = high;
    }
  }
}

// All that waits of one caller to all of its viewers, viewer by viewer.
static void fan_out(struct caller *caller) {
  equalise(caller);
  for (int place = 0; place < caller->count; place++) {
    struct viewer *viewer = &caller->viewers[place];
    for (int next = 0; next < caller->waiting;) {
      int segment = caller->packets[next].length, segments = 0;
      size_t length = 0;
      while (next < caller->waiting && segments < SEGMENTS && caller->packets[next].length <= segment) {
        int is_shorter = caller->packets[next].length < segment;
        length += protect(viewer, &caller->packets[next++], buffer + used + length);
        segments++;
        if (is_shorter) break;
      }
      queue(viewer, length, segment + TAG, segments);
    }
  }
  caller->waiting = 0;
}

static void announce(const unsigned char *bytes, int length, struct sockaddr_in *sender) {
  if (length < 5 || read32(bytes + 1) >= CALLERS) return;
  struct caller *caller = &callers[read32(bytes + 1)];
  if (!caller->viewers) {
    caller->viewers = aligned_alloc(64, VIEWERS * sizeof *caller->viewers);
    caller->packets = calloc(RUN, sizeof *caller->packets);
  }
  if (bytes[0] == 'C') {
    caller_of_port[ntohs(sender->sin_port)] = (int)(caller - callers) + 1;
  } else if (bytes[0] == 'V' && length == 37) {
    int known = 0;
    for (int place = 0; place < caller->count; place++)
      known |= caller->viewers[place].address.sin_port == sender->sin_port;
    if (!known && caller->count == VIEWERS) return;
    if (!known) {
      struct viewer *viewer = &caller->viewers[caller->count++];
      viewer->offset = read32(bytes + 5);
      viewer->address = *sender;
      set_key(viewer, bytes + 9);
      memcpy(viewer->salt, bytes + 25, HEADER);
    }
  }
  sendto(out, bytes, 1, MSG_DONTWAIT, (struct sockaddr *)sender, sizeof *sender);
}

static void take(const unsigned char *bytes, int length, struct sockaddr_in *sender) {
  if (length < HEADER || length > PACKET - PADDING || bytes[0] >> 6 != 2) {
    if (length > 0) announce(bytes, length, sender);
    return;
  }
  int place = caller_of_port[ntohs(sender->sin_port)];
  // Reports look like packets, but for their type.
  if (place == 0 || (bytes[1] >= 192 && bytes[1] <= 223)) return;
  struct caller *caller = &callers[place - 1];
  if (caller->waiting == RUN) fan_out(caller);
  struct packet *packet = &caller->packets[caller->waiting++];
  packet->length = length;
  memcpy(packet->bytes, bytes, length);
}

static int segment_size(struct msghdr *header, int length) {
  for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control; control = CMSG_NXTHDR(header, control))
    if (control->cmsg_level == SOL_UDP && control->cmsg_type == UDP_GRO) memcpy(&length, CMSG_DATA(control), sizeof length);
  return length;
}

static int open_socket(void) {
  int descriptor = socket(AF_INET, SOCK_DGRAM, 0), size = 8 << 20, on = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  if (setsockopt(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) != 0)
    setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  setsockopt(descriptor, SOL_UDP, UDP_GRO, &on, sizeof on);
  if (bind(descriptor, (struct sockaddr *)&address, length) != 0) exit(1);
  getsockname(descriptor, (struct sockaddr *)&address, &length);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  return descriptor;
}

int main(void) {
#ifndef OPENSSL_ONLY
  manager = alloc_mb_mgr(0);
  init_mb_mgr_auto(manager, NULL);
#endif
  buffer = aligned_alloc(64, (size_t)BATCH * (MESSAGE + 64));
  out = open_socket();
  int poller = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN};
  epoll_ctl(poller, EPOLL_CTL_ADD, out, &event);

  static unsigned char received[RECEIVE][65536];
  static char controls_in[RECEIVE][64];
  static struct sockaddr_in senders[RECEIVE];
  struct mmsghdr in[RECEIVE];
  struct iovec in_vectors[RECEIVE];
  for (;;) {
    for (int place = 0; place < RECEIVE; place++) {
      in_vectors[place] = (struct iovec){received[place], sizeof received[place]};
      in[place].msg_hdr = (struct msghdr){.msg_name = &senders[place], .msg_namelen = sizeof senders[place],
                                          .msg_iov = &in_vectors[place], .msg_iovlen = 1,
                                          .msg_control = controls_in[place], .msg_controllen = sizeof controls_in[place]};
    }
    int count = recvmmsg(out, in, RECEIVE, MSG_DONTWAIT, NULL);
    if (count <= 0) {
      epoll_wait(poller, &event, 1, -1);
      continue;
    }
    for (int place = 0; place < count; place++) {
      int length = (int)in[place].msg_len, size = segment_size(&in[place].msg_hdr, length);
      for (int offset = 0; offset < length; offset += size)
        take(received[place] + offset, offset + size < length ? size : length - offset, &senders[place]);
    }
    for (int place = 0; place < CALLERS; place++)
      if (callers[place].waiting > 0) fan_out(&callers[place]);
    flush();
  }
}
