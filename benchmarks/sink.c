/* Answers as API Gateway's @connections does, after a fixed time, and counts what it was asked.
 *
 *     gcc -O2 -o sink sink.c -lssl -lcrypto
 *     ./sink [--http PORT] [--https PORT --certificate FILE --key FILE] [--delay MS]
 *            [--throttled PERCENT] [--gone PERCENT] [--rate REQUESTS] [--attached]
 *
 * It listens on 127.0.0.1 only (port 0: any free one), prints its ports and serves until it is
 * killed; with --attached until its parent has gone. --throttled is the share of requests that get
 * a 429, the same ones in every run; --gone the share of connection ids that always get a 410;
 * beyond --rate a second everything gets a 429, as from an account (with a burst of half of it).
 *
 *     POST   /STAGE/@connections/ID    200, 410 or 429
 *     DELETE /STAGE/@connections/ID    204, 410 or 429
 *     GET    /stats                    what was counted since the start or the last reset, as JSON
 *     POST   /reset                    begin anew
 *
 * One thread and one epoll: more than 100,000 answers a second, so that it is no contender's limit.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_BUFFER = 2048, LARGEST_REQUEST = 256 * 1024, EVENTS = 512 };

/* A connection handles one request at a time; a pipelined one waits in the buffer. */
struct connection {
    TAILQ_ENTRY(connection) queue;
    int fd;
    SSL *tls;
    char *in;
    size_t size, used;
    uint64_t due; /* when the answer leaves, nanoseconds */
    const struct answer *answer;
    bool waiting, counted, shaken, closing;
};

/* The delay is the same for all, so whoever came first is due first. */
TAILQ_HEAD(queue, connection) waiting = TAILQ_HEAD_INITIALIZER(waiting);

static struct {
    uint64_t delay; /* nanoseconds */
    double throttled, gone; /* 0 to 1 */
    double rate;
} options;

static struct {
    uint64_t requests, sent, closed, throttled, gone, connections, handshakes, resumed;
    uint64_t in_flight, peak_in_flight; /* while they wait for the delay */
} counts;

static SSL_CTX *tls_context;
static int epoll;
static double tokens;
static uint64_t tokens_since;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* A number from 0 to 1 that depends on the seed alone (splitmix64). */
static double chance(uint64_t seed) {
    seed += 0x9e3779b97f4a7c15u;
    seed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9u;
    seed = (seed ^ (seed >> 27)) * 0x94d049bb133111ebu;
    return (double)((seed ^ (seed >> 31)) >> 11) / 9007199254740992.0;
}

/* The id's letters and digits up to the "=" at its end, which travels as %3D or as itself. */
static uint64_t hash(const char *id) {
    uint64_t value = 0xcbf29ce484222325u;
    for (; *id && !strchr("%= ?", *id); id++)
        value = (value ^ (unsigned char)*id) * 0x100000001b3u;
    return value;
}

static bool over_rate(void) {
    if (options.rate <= 0)
        return false;
    uint64_t time = now();
    tokens += (double)(time - tokens_since) / 1e9 * options.rate;
    tokens_since = time;
    if (tokens > options.rate / 2)
        tokens = options.rate / 2;
    if (tokens < 1)
        return true;
    tokens--;
    return false;
}

static void hang_up(struct connection *c) {
    if (c->waiting) {
        TAILQ_REMOVE(&waiting, c, queue);
        counts.in_flight--;
    }
    if (c->tls)
        SSL_free(c->tls);
    close(c->fd);
    free(c->in);
    free(c);
}

/* ---- Answers ------------------------------------------------------------------------------- */

struct answer {
    const char *status, *error, *body;
    uint64_t *count;
};

static const struct answer sent = {"200 OK", "", "", &counts.sent},
    closed = {"204 No Content", "", "", &counts.closed},
    missing = {"404 Not Found", "x-amzn-ErrorType: NotFoundException\r\n", "", NULL},
    gone = {"410 Gone", "x-amzn-ErrorType: GoneException\r\n", "{\"message\":\"Gone\"}",
            &counts.gone},
    throttled = {"429 Too Many Requests", "x-amzn-ErrorType: LimitExceededException\r\n",
                 "{\"message\":\"Too Many Requests\"}", &counts.throttled};

/* The time of day as HTTP writes it, made once a second. botocore corrects its clock by it. */
static const char *date(void) {
    static char text[40];
    static time_t of;
    time_t time_of_day = time(NULL);
    if (time_of_day != of)
        strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", gmtime(&time_of_day));
    of = time_of_day;
    return text;
}

/* Answers are so small that a socket takes each as a whole. If it does not, it is closed. */
static bool answer_with(struct connection *c, const struct answer *answer, const char *body) {
    static uint64_t id;
    char out[1536];
    id++;
    int size = snprintf(out, sizeof out,
        "HTTP/1.1 %s\r\n%sDate: %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
        "Connection: %s\r\nx-amzn-RequestId: 00000000-0000-4000-8000-%012lx\r\n"
        "x-amz-apigw-id: %015lx=\r\n\r\n%s",
        answer->status, answer->error, date(), strlen(body), c->closing ? "close" : "keep-alive",
        id, id, body);
    if (c->tls) {
        ERR_clear_error();
        return SSL_write(c->tls, out, size) == size && !c->closing;
    }
    return send(c->fd, out, (size_t)size, MSG_NOSIGNAL) == size && !c->closing;
}

static bool answer(struct connection *c) {
    ++*c->answer->count;
    return answer_with(c, c->answer, c->answer->body);
}

static bool answer_stats(struct connection *c) {
    char body[512];
    snprintf(body, sizeof body,
        "{\"requests\": %lu, \"sent\": %lu, \"closed\": %lu, \"throttled\": %lu, \"gone\": %lu, "
        "\"connections\": %lu, \"handshakes\": %lu, \"resumed\": %lu, "
        "\"in_flight\": %lu, \"peak_in_flight\": %lu}\n",
        counts.requests, counts.sent, counts.closed, counts.throttled, counts.gone,
        counts.connections, counts.handshakes, counts.resumed, counts.in_flight,
        counts.peak_in_flight);
    return answer_with(c, &sent, body);
}

static bool reset(struct connection *c) {
    uint64_t in_flight = counts.in_flight;
    memset(&counts, 0, sizeof counts);
    counts.in_flight = in_flight;
    tokens = options.rate / 2;
    tokens_since = now();
    return answer_with(c, &sent, "");
}

/* ---- Requests ------------------------------------------------------------------------------ */

/* The bytes of the first request in the buffer, head and body; 0 until it is complete. */
static size_t request_length(struct connection *c) {
    char *end = memmem(c->in, c->used, "\r\n\r\n", 4);
    size_t body = 0;
    if (!end)
        return 0;
    for (char *line = c->in; (line = memchr(line, '\n', (size_t)(end - line))); ) {
        line++;
        if (!strncasecmp(line, "content-length:", 15))
            body = strtoul(line + 15, NULL, 10);
        else if (!strncasecmp(line, "connection: close", 17))
            c->closing = true;
    }
    size_t length = (size_t)(end + 4 - c->in) + body;
    return length <= c->used ? length : 0;
}

static const struct answer *decide(const char *request, const char *id) {
    if (chance(hash(id)) < options.gone)
        return &gone;
    if (over_rate() || chance(counts.requests) < options.throttled)
        return &throttled;
    return *request == 'D' ? &closed : &sent;
}

/* Answer the first request, or put the connection in the queue. False: hang up. */
static bool take_request(struct connection *c, size_t length) {
    static const char connections[] = "/@connections/";
    char *id = memmem(c->in, length, connections, sizeof connections - 1);
    if (!strncmp(c->in, "GET /stats", 10))
        return answer_stats(c);
    if (!strncmp(c->in, "POST /reset", 11))
        return reset(c);
    if (!id)
        return answer_with(c, &missing, "");
    counts.connections += !c->counted;
    c->counted = true;
    c->answer = decide(c->in, id + sizeof connections - 1);
    counts.requests++;
    if (!options.delay)
        return answer(c);
    if (++counts.in_flight > counts.peak_in_flight)
        counts.peak_in_flight = counts.in_flight;
    c->due = now() + options.delay;
    c->waiting = true;
    TAILQ_INSERT_TAIL(&waiting, c, queue);
    return true;
}

static bool take_requests(struct connection *c) {
    size_t length;
    while (!c->waiting && (length = request_length(c))) {
        if (!take_request(c, length))
            return false;
        c->used -= length;
        memmove(c->in, c->in + length, c->used);
    }
    return true;
}

/* Bytes read; 0 when there are none now; -1 when the connection is at its end. */
static long receive(struct connection *c) {
    long got;
    if (!c->tls) {
        got = recv(c->fd, c->in + c->used, c->size - c->used, 0);
        return got > 0 ? got : got < 0 && errno == EAGAIN ? 0 : -1;
    }
    ERR_clear_error();
    got = SSL_read(c->tls, c->in + c->used, (int)(c->size - c->used));
    if (!c->shaken && SSL_is_init_finished(c->tls)) {
        c->shaken = true;
        counts.handshakes++;
        counts.resumed += (uint64_t)SSL_session_reused(c->tls);
    }
    return got > 0 ? got : SSL_get_error(c->tls, (int)got) == SSL_ERROR_WANT_READ ? 0 : -1;
}

static void read_from(struct connection *c) {
    for (;;) {
        if (c->used == c->size) {
            if (c->size >= LARGEST_REQUEST || !(c->in = realloc(c->in, c->size *= 2)))
                return hang_up(c);
        }
        size_t room = c->size - c->used;
        long got = receive(c);
        if (got < 0)
            return hang_up(c);
        c->used += (size_t)got;
        if (got > 0 && !take_requests(c))
            return hang_up(c);
        /* TLS may hold another record already, which epoll does not report. */
        if (got == 0 || (!c->tls && (size_t)got < room))
            return;
    }
}

static void answer_due(void) {
    struct connection *c;
    while ((c = TAILQ_FIRST(&waiting)) && c->due <= now()) {
        TAILQ_REMOVE(&waiting, c, queue);
        c->waiting = false;
        counts.in_flight--;
        if (!answer(c) || !take_requests(c))
            hang_up(c);
    }
}

/* ---- Sockets ------------------------------------------------------------------------------- */

static int listen_on(const char *scheme, int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t size = sizeof address;
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, size) || listen(fd, 4096))
        die(scheme);
    getsockname(fd, (struct sockaddr *)&address, &size);
    printf("%s://127.0.0.1:%d\n", scheme, ntohs(address.sin_port));
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    return fd;
}

static void accept_all(int listener, bool tls) {
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *c = calloc(1, sizeof *c);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        c->fd = fd;
        c->in = malloc(c->size = FIRST_BUFFER);
        if (tls) {
            c->tls = SSL_new(tls_context);
            SSL_set_fd(c->tls, fd);
            SSL_set_accept_state(c->tls);
        }
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    }
}

static void serve(int http, int https) {
    struct epoll_event events[EVENTS];
    for (;;) {
        struct connection *first = TAILQ_FIRST(&waiting);
        uint64_t time = now(), left = first && first->due > time ? first->due - time : 0;
        struct timespec pause = {(time_t)(left / 1000000000u), (long)(left % 1000000000u)};
        int count = epoll_pwait2(epoll, events, EVENTS, first ? &pause : NULL, NULL);
        for (int i = 0; i < count; i++) {
            uint64_t which = events[i].data.u64;
            if (which == (uint64_t)http || which == (uint64_t)https)
                accept_all((int)which, which == (uint64_t)https);
            else
                read_from(events[i].data.ptr);
        }
        answer_due();
    }
}

static void prepare_tls(const char *certificate, const char *key) {
    tls_context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_mode(tls_context, SSL_MODE_RELEASE_BUFFERS);
    if (!certificate || SSL_CTX_use_certificate_chain_file(tls_context, certificate) != 1
        || !key || SSL_CTX_use_PrivateKey_file(tls_context, key, SSL_FILETYPE_PEM) != 1) {
        ERR_print_errors_fp(stderr);
        exit(1);
    }
}

int main(int count, char **arguments) {
    static const struct option names[] = {
        {"http", 1, 0, 'p'}, {"https", 1, 0, 's'}, {"certificate", 1, 0, 'c'}, {"key", 1, 0, 'k'},
        {"delay", 1, 0, 'd'}, {"throttled", 1, 0, 't'}, {"gone", 1, 0, 'g'}, {"rate", 1, 0, 'r'},
        {"attached", 0, 0, 'a'}, {0}};
    int option, http_port = -1, https_port = -1, http = -1, https = -1;
    const char *certificate = NULL, *key = NULL;
    while ((option = getopt_long(count, arguments, "", names, NULL)) != -1) {
        switch (option) {
        case 'p': http_port = atoi(optarg); break;
        case 's': https_port = atoi(optarg); break;
        case 'c': certificate = optarg; break;
        case 'k': key = optarg; break;
        case 'd': options.delay = (uint64_t)(atof(optarg) * 1e6); break;
        case 't': options.throttled = atof(optarg) / 100; break;
        case 'g': options.gone = atof(optarg) / 100; break;
        case 'r': options.rate = atof(optarg); break;
        case 'a': prctl(PR_SET_PDEATHSIG, SIGTERM); break;
        default: return 2;
        }
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGPIPE, SIG_IGN);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (http_port >= 0)
        http = listen_on("http", http_port);
    if (https_port >= 0) {
        prepare_tls(certificate, key);
        https = listen_on("https", https_port);
    }
    fflush(stdout);
    tokens = options.rate / 2;
    tokens_since = now();
    serve(http, https);
}
