/*
 * A wall clock that can be set: loaded into a server with LD_PRELOAD, it moves what the system says of the time of day by as much as a test
 * asks, while the process runs. The clock that only ever goes on is left alone, as it is where a real machine's clock is set.
 *
 * CLOCK_CONTROL  a file that is mapped into memory: the switches, see struct control
 *
 * The calls with which Rust's standard library, SQLite and C ask for the time of day; none of them asks the vDSO by itself.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct control {
    /* Milliseconds by which the wall clock is ahead of the machine's; negative: behind. */
    int64_t ahead;
    /* How often it was read, for the test to look at. */
    uint64_t reads;
};

static struct control none, *control = &none;
static int (*real)(clockid_t, struct timespec *);

__attribute__((constructor)) static void begin(void) {
    real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    const char *file = getenv("CLOCK_CONTROL");
    if (!file) return;
    int fd = open(file, O_RDWR | O_CLOEXEC);
    void *mapped = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED) {
        static const char words[] = "clock.c: no CLOCK_CONTROL\n";
        if (write(2, words, sizeof words - 1) < 0) _exit(98);
        _exit(99);
    }
    close(fd);
    control = mapped;
}

int clock_gettime(clockid_t clock, struct timespec *at) {
    /* Somebody's constructor may have come before ours. */
    int done = real ? real(clock, at) : (int)syscall(SYS_clock_gettime, clock, at);
    if (done || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)) return done;
    __atomic_add_fetch(&control->reads, 1, __ATOMIC_SEQ_CST);
    int64_t ahead = __atomic_load_n(&control->ahead, __ATOMIC_SEQ_CST);
    int64_t nanos = at->tv_nsec + ahead % 1000 * 1000000;
    at->tv_sec += ahead / 1000 + (nanos >= 1000000000) - (nanos < 0);
    at->tv_nsec = (nanos + 1000000000) % 1000000000;
    return 0;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    struct timespec now;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at) {
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}

int timespec_get(struct timespec *at, int base) { return base == TIME_UTC && !clock_gettime(CLOCK_REALTIME, at) ? base : 0; }
