/* The reference for parte1's throughput: joins the group, takes datagrams from the kernel in batches as large as
 * parte1's, and does nothing with them but count, until it has seen the end marker of each sender. No replica can
 * be faster than this.
 *
 *     bare_recvmmsg GROUP PORT RECEIVE_BUFFER SENDERS
 *
 * It says "ready BYTES" (the receive buffer granted) when it has joined, "done COUNT DROPS" (received; dropped by
 * the kernel) after the last end marker, and waits for the end of its input. */
#include "bench.h"

#include <arpa/inet.h>
#include <limits.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define BATCH        32 /* as in common/net/multicast.h */
#define DATAGRAM_MAX 2048

static struct mmsghdr headers[BATCH];
static struct iovec pieces[BATCH];
static char bytes[BATCH][DATAGRAM_MAX];

static int join_group(const char *group, uint16_t port, int receive_buffer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct ip_mreqn membership = {.imr_ifindex = (int)if_nametoindex(BENCH_INTERFACE)};
    int yes = 1;
    int receiver = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (receiver < 0) {
        die("socket");
    }
    if (membership.imr_ifindex == 0) {
        die(BENCH_INTERFACE);
    }
    if (inet_pton(AF_INET, group, &address.sin_addr) != 1) {
        errno = EINVAL;
        die(group);
    }
    membership.imr_multiaddr = address.sin_addr;
    if (setsockopt(receiver, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(receiver, (struct sockaddr *)&address, sizeof address) != 0 ||
        setsockopt(receiver, IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership, sizeof membership) != 0) {
        die("joining the group");
    }
    if (setsockopt(receiver, SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer, sizeof receive_buffer) != 0 &&
        setsockopt(receiver, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer) != 0) {
        die("SO_RCVBUF");
    }
    return receiver;
}

static int granted_buffer(int receiver)
{
    int granted;
    socklen_t length = sizeof granted;

    if (getsockopt(receiver, SOL_SOCKET, SO_RCVBUF, &granted, &length) != 0) {
        die("SO_RCVBUF");
    }
    return granted / 2; /* the kernel doubles what it was asked for */
}

static uint32_t dropped(int receiver)
{
    uint32_t memory_info[SK_MEMINFO_VARS] = {0};
    socklen_t length = sizeof memory_info;

    if (getsockopt(receiver, SOL_SOCKET, SO_MEMINFO, memory_info, &length) != 0) {
        die("SO_MEMINFO");
    }
    return memory_info[SK_MEMINFO_DROPS];
}

static bool marks_end(const char *datagram, size_t length)
{
    return length > sizeof BENCH_END - 1 && memcmp(datagram, BENCH_END, sizeof BENCH_END - 1) == 0;
}

/* An end marker that had to be repeated must not count for another sender: its datagram names the sender behind
 * the common start, up to the closing quote. */
static bool is_new_end(const char *datagram, size_t length)
{
    static char seen[16][64];
    static size_t count;
    char name[64] = {0};

    for (size_t i = sizeof BENCH_END - 1, at = 0; i < length && datagram[i] != '"' && at < sizeof name - 1;
         i++) {
        name[at++] = datagram[i];
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(seen[i], name) == 0) {
            return false;
        }
    }
    if (count < sizeof seen / sizeof *seen) {
        memcpy(seen[count++], name, sizeof name);
    }
    return true;
}

static unsigned long count_datagrams(int receiver, unsigned long senders)
{
    unsigned long received = 0;

    for (int i = 0; i < BATCH; i++) {
        pieces[i] = (struct iovec){bytes[i], DATAGRAM_MAX};
        headers[i].msg_hdr = (struct msghdr){.msg_iov = &pieces[i], .msg_iovlen = 1};
    }
    while (senders > 0) {
        int count = recvmmsg(receiver, headers, BATCH, MSG_WAITFORONE, NULL);
        if (count < 0 && errno != EINTR) {
            die("recvmmsg");
        }
        for (int i = 0; i < count; i++) {
            received++;
            if (marks_end(bytes[i], headers[i].msg_len) && is_new_end(bytes[i], headers[i].msg_len)) {
                senders--;
            }
        }
    }
    return received;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fputs("usage: bare_recvmmsg GROUP PORT RECEIVE_BUFFER SENDERS\n", stderr);
        return 2;
    }
    /* It does not read its input while it counts, and so would not see that the harness is gone. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
        die("prctl");
    }
    int receiver = join_group(argv[1], (uint16_t)number_of(argv[2], 65535), (int)number_of(argv[3], 1 << 30));
    unsigned long senders = number_of(argv[4], 16);

    printf("ready %d", granted_buffer(receiver));
    tell_now();
    unsigned long received = count_datagrams(receiver, senders);
    printf("done %lu %u", received, dropped(receiver));
    tell_now();
    while (getchar() != EOF) {
    }
    return close(receiver) == 0 ? 0 : 1;
}
