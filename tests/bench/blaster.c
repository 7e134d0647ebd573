/* A sender for benchmarks: encodes valid SET commands of about 200 bytes beforehand, each with a UUID of its own, and
 * sends them to the group with sendmmsg, last of all one SET whose key (end-SENDER) marks the end.
 *
 *     blaster GROUP PORT SENDER COUNT KEYS RATE [RECEIVER...]
 *
 * COUNT commands and the end marker, over KEYS different keys; RATE datagrams a second, 0 for as fast as it goes.
 * RECEIVER is the inherited descriptor of a receiver's socket. Where any are given the loop is closed: while one of
 * their queues is half full, the blaster waits, so that nothing is lost however slow the receivers are. No system
 * call of a receiver is added for that.
 *
 * It says "ready KEY VALUE" (bytes of each key and of each value as JSON) when all is encoded, starts at the first
 * line of input, says "sent SECONDS WAITED" (how long it took; how much of it was spent waiting for receivers), and
 * repeats the end marker at each further line, until its input ends. */
#include "bench.h"
#include "common/buffer.h"
#include "common/clock.h"
#include "common/memory.h"
#include "common/message.h"
#include "common/uuid.h"

#include <arpa/inet.h>
#include <limits.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define BATCH_MAX     64
#define TRUESIZE      1536 /* at least what the kernel counts for one such datagram in a receiver's buffer */
#define SENDERS_MAX   4    /* that may fill a receiver's buffer at the same time */
#define RECEIVERS_MAX 16
#define PACE_NAP_NS   200000  /* between two looks at the clock */
#define ROOM_NAP_NS   1000000 /* between two looks at full receivers, at the longest */

struct blaster {
    int sender;
    struct sockaddr_in group;
    const char *id;

    struct buffer encoded; /* all datagrams, one behind the other */
    size_t *ends;          /* where each one ends in there */
    size_t count;
    size_t key_length, value_length;

    int receivers[RECEIVERS_MAX];
    int receiver_count;
    long room_nap_ns;   /* between two looks at full receivers */
    unsigned batch;     /* datagrams in one call */
    double rate;        /* 0: no limit */
    uint64_t waited_ns; /* for receivers */
};

static uint64_t now_ns(void)
{
    struct timespec now;

    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) {
        die("clock_gettime");
    }
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void nap(long ns)
{
    struct timespec time = {.tv_nsec = ns};
    (void)nanosleep(&time, NULL); /* an early end does no harm */
}

/* ---- what is sent ---- */

static void encode(struct blaster *blaster, const char *key, size_t number)
{
    char value[64];
    char timestamp[CLOCK_EPOCH_LENGTH + 1];
    struct uuid uuid = uuid_new();
    int length = snprintf(value, sizeof value, "\"%s-%08zu a value of some length\"", blaster->id, number);

    clock_format_epoch(clock_wall_us(), timestamp);
    struct message command = {.command_type = COMMAND_SET,
                              .key = text_of(key),
                              .value = {value, (size_t)length},
                              .sender_id = text_of(blaster->id),
                              .message_uuid = text_of(uuid.text),
                              .timestamp = text_of(timestamp),
                              .seq = MESSAGE_NO_SEQ};

    message_encode(&command, &blaster->encoded);
    blaster->ends[blaster->count++] = blaster->encoded.length;
    blaster->key_length = command.key.length;
    blaster->value_length = command.value.length;
}

/* The end marker comes first: it is sent last, and again on demand. */
static void encode_all(struct blaster *blaster, size_t count, size_t keys)
{
    char key[64];

    blaster->ends = memory_new_zeroed(count + 1, sizeof *blaster->ends);
    snprintf(key, sizeof key, BENCH_END_KEY "%s", blaster->id);
    encode(blaster, key, 0);
    for (size_t i = 0; i < count; i++) {
        snprintf(key, sizeof key, "key-%06zu", i % keys);
        encode(blaster, key, i + 1);
    }
}

static struct iovec datagram(const struct blaster *blaster, size_t index)
{
    size_t start = index > 0 ? blaster->ends[index - 1] : 0;
    return (struct iovec){blaster->encoded.bytes + start, blaster->ends[index] - start};
}

/* ---- receivers that are watched ---- */

static uint32_t receiver_memory(const struct blaster *blaster, int index, int what)
{
    uint32_t memory_info[SK_MEMINFO_VARS] = {0};
    socklen_t length = sizeof memory_info;

    if (getsockopt(blaster->receivers[index], SOL_SOCKET, SO_MEMINFO, memory_info, &length) != 0) {
        die("SO_MEMINFO of a receiver");
    }
    return memory_info[what];
}

/* Is any receiver's buffer filled to `eighths` eighths? */
static bool filled(const struct blaster *blaster, unsigned eighths)
{
    for (int i = 0; i < blaster->receiver_count; i++) {
        if (receiver_memory(blaster, i, SK_MEMINFO_RMEM_ALLOC) / eighths >=
            receiver_memory(blaster, i, SK_MEMINFO_RCVBUF) / 8) {
            return true;
        }
    }
    return false;
}

static void wait_for_room(struct blaster *blaster)
{
    if (!filled(blaster, 4)) {
        return;
    }
    uint64_t start = now_ns();
    do {
        nap(blaster->room_nap_ns);
    } while (filled(blaster, 3)); /* early enough that no receiver runs dry */
    blaster->waited_ns += now_ns() - start;
}

/* The batch is small enough that what all senders send between two looks fits the half that is left. The nap is short
 * enough that no receiver runs dry, at a microsecond for each datagram, and else long: looking costs time, too. */
static void suit_receivers(struct blaster *blaster)
{
    blaster->batch = BATCH_MAX;
    blaster->room_nap_ns = ROOM_NAP_NS;
    for (int i = 0; i < blaster->receiver_count; i++) {
        uint32_t holds = receiver_memory(blaster, i, SK_MEMINFO_RCVBUF) / TRUESIZE;
        unsigned batch = holds / 4 / SENDERS_MAX;
        long nap_ns = (long)holds * 1000 / 16;
        if (batch < blaster->batch) {
            blaster->batch = batch > 0 ? batch : 1;
        }
        if (nap_ns < blaster->room_nap_ns) {
            blaster->room_nap_ns = nap_ns;
        }
    }
}

/* ---- sending ---- */

/* Sends `count` datagrams from the one at `first` on; there are that many. */
static void send_batch(const struct blaster *blaster, size_t first, unsigned count)
{
    struct mmsghdr headers[BATCH_MAX];
    struct iovec pieces[BATCH_MAX];
    unsigned sent = 0;

    for (unsigned i = 0; i < count; i++) {
        pieces[i] = datagram(blaster, first + i);
        headers[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &pieces[i], .msg_iovlen = 1}};
    }
    while (sent < count) {
        int taken = sendmmsg(blaster->sender, headers + sent, count - sent, 0);
        if (taken < 0 && errno != EINTR && errno != ENOBUFS && errno != EAGAIN) {
            die("sendmmsg");
        }
        sent += taken > 0 ? (unsigned)taken : 0;
    }
}

/* How many datagrams should have been sent by now. */
static size_t due(const struct blaster *blaster, uint64_t start)
{
    double count = blaster->rate * (double)(now_ns() - start) / 1e9;
    return blaster->rate > 0 && count < (double)blaster->count ? (size_t)count : blaster->count - 1;
}

static void send_all(struct blaster *blaster)
{
    uint64_t start = now_ns();
    size_t next = 1; /* the end marker's turn comes last */

    while (next < blaster->count) {
        size_t ready = due(blaster, start) + 1 - next;
        unsigned count = ready < blaster->batch ? (unsigned)ready : blaster->batch;
        if (count == 0) {
            nap(PACE_NAP_NS);
            continue;
        }
        wait_for_room(blaster);
        send_batch(blaster, next, count);
        next += count;
    }
    send_batch(blaster, 0, 1);
    printf("sent %.6f %.6f", (double)(now_ns() - start) / 1e9, (double)blaster->waited_ns / 1e9);
    tell_now();
}

static void open_sender(struct blaster *blaster, const char *group, const char *port)
{
    struct ip_mreqn interface = {.imr_ifindex = (int)if_nametoindex(BENCH_INTERFACE)};
    int ttl = 0; /* not even to a router's next hop */
    int yes = 1;

    blaster->group =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)number_of(port, 65535))};
    if (inet_pton(AF_INET, group, &blaster->group.sin_addr) != 1) {
        errno = EINVAL;
        die(group);
    }
    if (interface.imr_ifindex == 0) {
        die(BENCH_INTERFACE);
    }
    blaster->sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (blaster->sender < 0 ||
        setsockopt(blaster->sender, IPPROTO_IP, IP_MULTICAST_IF, &interface, sizeof interface) != 0 ||
        setsockopt(blaster->sender, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof ttl) != 0 ||
        setsockopt(blaster->sender, IPPROTO_IP, IP_MULTICAST_LOOP, &yes, sizeof yes) != 0 ||
        connect(blaster->sender, (struct sockaddr *)&blaster->group, sizeof blaster->group) != 0) {
        die("a socket to send from");
    }
}

/* False at the end of the input. */
static bool read_line(void)
{
    int c;

    do {
        c = getchar();
    } while (c != '\n' && c != EOF);
    return c == '\n';
}

int main(int argc, char **argv)
{
    static struct blaster blaster;

    if (argc < 7 || argc > 7 + RECEIVERS_MAX) {
        fputs("usage: blaster GROUP PORT SENDER COUNT KEYS RATE [RECEIVER...]\n", stderr);
        return 2;
    }
    blaster.id = argv[3];
    size_t count = number_of(argv[4], 100000000);
    size_t keys = number_of(argv[5], 1000000);
    blaster.rate = (double)number_of(argv[6], 100000000);
    for (int i = 7; i < argc; i++) {
        blaster.receivers[blaster.receiver_count++] = (int)number_of(argv[i], INT_MAX);
    }
    if (strlen(blaster.id) > 16 || keys == 0) {
        fputs("blaster: SENDER has up to 16 bytes, KEYS is at least 1\n", stderr);
        return 2;
    }
    if (prctl(PR_SET_TIMERSLACK, 1) != 0) { /* naps as short as they are asked for */
        die("prctl");
    }
    open_sender(&blaster, argv[1], argv[2]);
    suit_receivers(&blaster);
    encode_all(&blaster, count, keys);
    printf("ready %zu %zu", blaster.key_length, blaster.value_length);
    tell_now();
    if (read_line()) {
        send_all(&blaster);
        while (read_line()) {
            send_batch(&blaster, 0, 1);
        }
    }
    free(blaster.ends);
    buffer_free(&blaster.encoded);
    return close(blaster.sender) == 0 ? 0 : 1;
}
