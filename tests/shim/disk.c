/*
 * A disk that can be told to misbehave: loaded into a server with LD_PRELOAD, it stands between the process and the files of one directory.
 * It changes nothing of what the process does, only what the system answers, and so shows how the real binary meets a bad disk.
 *
 * DISK_DIR      the directory whose files are watched (its real path)
 * DISK_CONTROL  a file that is mapped into memory: the switches, see struct control
 * DISK_SHADOW   optional: a directory that holds each file as it was at its last sync, and in NAME.pending what was written since
 *
 * The system calls that SQLite and std::fs use on 64-bit Linux: write, pwrite64, read, pread64, ftruncate64,
 * fsync, fdatasync, and their plain names.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct control {
    /* 1: syncs answer EIO, and do not happen. 2: those of the database alone, and not of its log. */
    uint64_t fail_sync;
    /* Bytes by which files may still grow, plus one; 0: as many as they like. */
    uint64_t room;
    /* Counts down before and after every write, truncation and sync; the process is killed where it reaches 0. 0: never. */
    uint64_t kill_in;
    /* What happened, for the test to look at. */
    uint64_t writes;
    uint64_t syncs;
    uint64_t refused;
    /* 1: syncs answer that all is well, and do not happen: the disk lies. */
    uint64_t lie;
    /* 1: syncs do not answer. */
    uint64_t stall;
    /* 1: reads answer EIO. */
    uint64_t fail_read;
    /* Syncs done of the database, and not of its log: how often that was folded. */
    uint64_t folds;
};

static struct control none, *control = &none;
static char dir[PATH_MAX], shadow[PATH_MAX];
static size_t dir_length;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_read)(int, void *, size_t);
static ssize_t (*real_pread)(int, void *, size_t, off_t);
static int (*real_fsync)(int);
static int (*real_ftruncate)(int, off_t);

__attribute__((constructor)) static void begin(void) {
    real_write = dlsym(RTLD_NEXT, "write");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_read = dlsym(RTLD_NEXT, "read");
    real_pread = dlsym(RTLD_NEXT, "pread64");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    const char *watched = getenv("DISK_DIR"), *file = getenv("DISK_CONTROL"), *copies = getenv("DISK_SHADOW");
    if (!watched || !file) return;
    int fd = open(file, O_RDWR | O_CLOEXEC);
    void *mapped = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED) {
        static const char words[] = "disk.c: no DISK_CONTROL\n";
        if (real_write(2, words, sizeof words - 1) < 0) _exit(98);
        _exit(99);
    }
    close(fd);
    control = mapped;
    snprintf(dir, sizeof dir, "%s/", watched);
    dir_length = strlen(dir);
    if (copies) snprintf(shadow, sizeof shadow, "%s", copies);
}

/* The name of a watched file within its directory; NULL for all others. The index of the log is memory and not disk. */
static const char *name_of(int fd, char *path) {
    char link[64];
    if (!dir_length) return NULL;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return NULL;
    path[length] = 0;
    if (strncmp(path, dir, dir_length) || strstr(path, "-shm") || strstr(path, " (deleted)")) return NULL;
    return path + dir_length;
}

static void step(void) {
    if (__atomic_load_n(&control->kill_in, __ATOMIC_SEQ_CST) && __atomic_sub_fetch(&control->kill_in, 1, __ATOMIC_SEQ_CST) == 0) {
        kill(getpid(), SIGKILL);
        for (;;) pause();
    }
}

/* How many of these bytes there is room for. */
static size_t grant(int fd, size_t length, off_t at) {
    struct stat stat;
    if (!control->room || fstat(fd, &stat)) return length;
    off_t inside = at < stat.st_size ? stat.st_size - at : 0;
    if ((size_t)inside >= length) return length;
    size_t growth = length - (size_t)inside, room = control->room - 1;
    if (growth <= room) {
        control->room -= growth;
        return length;
    }
    control->room = 1;
    return (size_t)inside + room;
}

static void all(int fd, const void *bytes, size_t length) {
    const char *at = bytes;
    while (length > 0) {
        ssize_t done = real_write(fd, at, length);
        if (done <= 0) _exit(97);
        at += done;
        length -= (size_t)done;
    }
}

/* Notes a write that is not on disk yet: offset, length, bytes. A length of UINT64_MAX is a truncation. */
static void pend(const char *name, uint64_t at, uint64_t length, const void *bytes) {
    char path[PATH_MAX * 2];
    if (!*shadow) return;
    snprintf(path, sizeof path, "%s/%s.pending", shadow, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) _exit(96);
    uint64_t head[2] = {at, length};
    all(fd, head, sizeof head);
    if (bytes) all(fd, bytes, length);
    close(fd);
}

/* What is synced is on disk: nothing is pending any more, and the copy is the file. In this order, for the process may be killed. */
static void keep(int fd, const char *name) {
    char from[64], path[PATH_MAX * 2], part[PATH_MAX * 2];
    static char block[1 << 16];
    if (!*shadow) return;
    snprintf(from, sizeof from, "/proc/self/fd/%d", fd);
    snprintf(part, sizeof part, "%s/%s.part", shadow, name);
    int source = open(from, O_RDONLY | O_CLOEXEC), copy = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (source < 0 || copy < 0) _exit(95);
    ssize_t length;
    while ((length = real_read(source, block, sizeof block)) > 0) all(copy, block, (size_t)length);
    close(source);
    close(copy);
    snprintf(path, sizeof path, "%s/%s.pending", shadow, name);
    unlink(path);
    snprintf(path, sizeof path, "%s/%s", shadow, name);
    if (rename(part, path)) _exit(94);
}

static ssize_t write_at(int fd, const void *bytes, size_t length, off_t at, int seeks) {
    char path[PATH_MAX];
    const char *name = name_of(fd, path);
    if (!name) return seeks ? real_pwrite(fd, bytes, length, at) : real_write(fd, bytes, length);
    pthread_mutex_lock(&turn);
    step();
    if (!seeks) at = lseek(fd, 0, SEEK_CUR);
    size_t granted = grant(fd, length, at);
    ssize_t done = -1;
    if (granted == 0 && length > 0) {
        control->refused++;
        errno = ENOSPC;
    } else {
        done = seeks ? real_pwrite(fd, bytes, granted, at) : real_write(fd, bytes, granted);
        if (done > 0) pend(name, (uint64_t)at, (uint64_t)done, bytes);
        control->writes++;
    }
    int error = errno;
    step();
    pthread_mutex_unlock(&turn);
    errno = error;
    return done;
}

ssize_t write(int fd, const void *bytes, size_t length) { return write_at(fd, bytes, length, 0, 0); }
ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t at) { return write_at(fd, bytes, length, at, 1); }
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) { return write_at(fd, bytes, length, at, 1); }

static int fails_to_read(int fd) {
    char path[PATH_MAX];
    if (!control->fail_read || !name_of(fd, path)) return 0;
    __atomic_add_fetch(&control->refused, 1, __ATOMIC_SEQ_CST);
    errno = EIO;
    return 1;
}

ssize_t read(int fd, void *bytes, size_t length) { return fails_to_read(fd) ? -1 : real_read(fd, bytes, length); }
ssize_t pread64(int fd, void *bytes, size_t length, off_t at) { return fails_to_read(fd) ? -1 : real_pread(fd, bytes, length, at); }
ssize_t pread(int fd, void *bytes, size_t length, off_t at) { return pread64(fd, bytes, length, at); }

static int sync_file(int fd) {
    char path[PATH_MAX];
    const char *name = name_of(fd, path);
    if (!name) return real_fsync(fd);
    while (__atomic_load_n(&control->stall, __ATOMIC_SEQ_CST)) usleep(1000);
    pthread_mutex_lock(&turn);
    step();
    int done = -1, error = EIO;
    if (control->fail_sync == 1 || (control->fail_sync == 2 && !strstr(name, "-wal"))) {
        control->refused++;
    } else if (control->lie) {
        done = 0;
    } else {
        done = real_fsync(fd);
        error = errno;
        if (done == 0) keep(fd, name);
        control->syncs++;
        control->folds += !strstr(name, "-wal");
    }
    step();
    pthread_mutex_unlock(&turn);
    errno = error;
    return done;
}

int fsync(int fd) { return sync_file(fd); }
int fdatasync(int fd) { return sync_file(fd); }

int ftruncate64(int fd, off_t length) {
    char path[PATH_MAX];
    const char *name = name_of(fd, path);
    if (!name) return real_ftruncate(fd, length);
    pthread_mutex_lock(&turn);
    step();
    int done = real_ftruncate(fd, length), error = errno;
    if (done == 0) pend(name, (uint64_t)length, UINT64_MAX, NULL);
    step();
    pthread_mutex_unlock(&turn);
    errno = error;
    return done;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }
