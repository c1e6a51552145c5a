/* An echo server: one thread, one epoll loop, non-blocking sockets.
 *
 *     echo FOLDER VERSION none|certificates CPU
 *
 * It prints its library and its port. Its standard input takes commands of one letter, and each is answered with a
 * line: 's' for the state, 'd' to drop all connections first. The end of the input ends the program. */
#define _GNU_SOURCE
#include "memory.h"
#include "side.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_BYTES 16384
#define EVENTS 512

/* One connection, in the table by its descriptor. */
struct peer {
    struct side_conn *conn;
    unsigned char *unsent; /* What the socket did not take: NULL in the steady state. */
    size_t unsent_from, unsent_length;
    unsigned events; /* What epoll waits for. */
    bool is_open;    /* The handshake is complete. */
};

static struct side_context *context;
static struct peer *peers;
static int peers_length, loop_fd, listener;
static size_t open_peers, resumed_peers;
static unsigned long long echoed_bytes;
static unsigned char buffer[BUFFER_BYTES];

static void close_peer(int fd, bool is_abrupt) {
    struct peer *peer = &peers[fd];
    /* A reset leaves no port in TIME_WAIT. */
    struct linger linger = {1, 0};
    if (is_abrupt)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    open_peers -= peer->is_open;
    side_free(peer->conn);
    free(peer->unsent);
    memset(peer, 0, sizeof *peer);
    close(fd);
}

static void wait_for(int fd, unsigned events) {
    struct epoll_event event = {events, {.fd = fd}};
    if (peers[fd].events != events)
        REQUIRE(epoll_ctl(loop_fd, EPOLL_CTL_MOD, fd, &event) == 0);
    peers[fd].events = events;
}

/* Writes all, or keeps the rest. */
static enum side_status send_all(struct peer *peer, const unsigned char *data, size_t length) {
    while (length > 0) {
        size_t written = 0;
        enum side_status status = side_write(peer->conn, data, length, &written);
        if (status != SIDE_OK) {
            if (status == SIDE_WANT_WRITE && peer->unsent == NULL) {
                peer->unsent = malloc(length);
                REQUIRE(peer->unsent != NULL);
                memcpy(peer->unsent, data, length);
                peer->unsent_from = 0;
                peer->unsent_length = length;
            }
            return status;
        }
        data += written;
        length -= written;
        echoed_bytes += written;
        if (peer->unsent != NULL)
            peer->unsent_from += written;
    }
    return SIDE_OK;
}

/* Continues as far as possible without waiting. */
static enum side_status advance(struct peer *peer) {
    enum side_status status = SIDE_OK;
    if (!peer->is_open) {
        status = side_handshake(peer->conn);
        if (status != SIDE_OK)
            return status;
        peer->is_open = true;
        open_peers++;
        resumed_peers += side_is_resumed(peer->conn);
        /* The first message may have come with the end of the handshake. */
        if (!side_has_pending(peer->conn))
            return SIDE_WANT_READ;
    }
    if (peer->unsent != NULL) {
        status = send_all(peer, peer->unsent + peer->unsent_from, peer->unsent_length - peer->unsent_from);
        if (status != SIDE_OK)
            return status;
        free(peer->unsent);
        peer->unsent = NULL;
    }
    do {
        size_t got = 0;
        status = side_read(peer->conn, buffer, sizeof buffer, &got);
        if (status == SIDE_OK)
            status = send_all(peer, buffer, got);
    } while (status == SIDE_OK && side_has_pending(peer->conn));
    return status == SIDE_OK ? SIDE_WANT_READ : status;
}

static void accept_peers(void) {
    for (int turn = 0; turn < 64; turn++) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), on = 1;
        if (fd < 0) {
            REQUIRE(errno == EAGAIN || errno == ECONNABORTED);
            return;
        }
        REQUIRE(fd < peers_length);
        REQUIRE(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
        peers[fd].conn = side_accept(context, fd);
        peers[fd].events = EPOLLIN;
        struct epoll_event event = {EPOLLIN, {.fd = fd}};
        REQUIRE(epoll_ctl(loop_fd, EPOLL_CTL_ADD, fd, &event) == 0);
    }
}

static void drop_all(void) {
    for (int fd = 0; fd < peers_length; fd++)
        if (peers[fd].conn != NULL)
            close_peer(fd, true);
    resumed_peers = 0;
}

static void answer(char command) {
    if (command == 'd')
        drop_all();
    struct rusage usage;
    REQUIRE(getrusage(RUSAGE_SELF, &usage) == 0);
    struct memory memory = memory_now();
    double seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                     (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    printf("cpu_s %.6f allocated %lld resident %lld open %zu resumed %zu echoed %llu\n", seconds, memory.allocated,
           memory.resident, open_peers, resumed_peers, echoed_bytes);
    fflush(stdout);
}

static void serve(void) {
    struct epoll_event events[EVENTS];
    for (;;) {
        int ready = epoll_wait(loop_fd, events, EVENTS, -1);
        for (int index = 0; index < ready; index++) {
            int fd = events[index].data.fd;
            char command;
            if (fd == STDIN_FILENO) {
                if (read(STDIN_FILENO, &command, 1) != 1)
                    return;
                answer(command);
            } else if (fd == listener) {
                accept_peers();
            } else if (peers[fd].conn != NULL) {
                enum side_status status = advance(&peers[fd]);
                if (status == SIDE_ENDED)
                    close_peer(fd, false);
                else
                    wait_for(fd, status == SIDE_WANT_WRITE ? EPOLLOUT : EPOLLIN);
            }
        }
    }
}

static void listen_on_loopback(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    REQUIRE(listener >= 0 && bind(listener, (struct sockaddr *)&address, sizeof address) == 0);
    REQUIRE(listen(listener, 65535) == 0 && getsockname(listener, (struct sockaddr *)&address, &length) == 0);
    printf("%s\n%d\n", side_library(), ntohs(address.sin_port));
    fflush(stdout);
}

int main(int argc, char **argv) {
    REQUIRE(argc == 5);
    struct side_settings settings = {argv[1], argv[2], strcmp(argv[3], "certificates") == 0, false};
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(atoi(argv[4]), &cpus);
    REQUIRE(sched_setaffinity(0, sizeof cpus, &cpus) == 0);
    struct rlimit limit;
    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    peers_length = limit.rlim_cur < 1 << 20 ? (int)limit.rlim_cur : 1 << 20;
    /* The whole table counts before the first connection, so that a connection does not seem to take a part of it. */
    peers = mmap(NULL, (size_t)peers_length * sizeof *peers, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    REQUIRE(peers != MAP_FAILED);
    context = side_context_new(&settings);
    loop_fd = epoll_create1(EPOLL_CLOEXEC);
    listen_on_loopback();
    struct epoll_event commands = {EPOLLIN, {.fd = STDIN_FILENO}}, arrivals = {EPOLLIN, {.fd = listener}};
    REQUIRE(epoll_ctl(loop_fd, EPOLL_CTL_ADD, STDIN_FILENO, &commands) == 0);
    REQUIRE(epoll_ctl(loop_fd, EPOLL_CTL_ADD, listener, &arrivals) == 0);
    serve();
    drop_all();
    side_context_free(context);
    return 0;
}
