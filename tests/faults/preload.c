// What LD_PRELOAD puts between a process and libc so that its disk is slow or full or its wall clock wrong, for as long as the file
// that PRELOAD_CONTROL names says so: four int64, mapped, so that they can be changed while it runs (preload.py).
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

struct control {
    _Atomic int64_t clock_ns; // what the wall clock is ahead
    _Atomic int64_t sync_ns;  // how much longer fsync takes
    _Atomic int64_t write_ns; // and a write to a file
    _Atomic int64_t full;     // 1: no file can grow; 2: nor be written over, as where that takes new room
};

static struct control nothing;
static struct control *control = &nothing;
static dev_t disk; // the control file is on the disk that is meant: shared memory and the like are not

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("PRELOAD_CONTROL");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    struct stat about;
    if (fstat(file, &about) == 0)
        disk = about.st_dev;
    void *mapped = mmap(NULL, sizeof(struct control), PROT_READ, MAP_SHARED, file, 0);
    if (mapped != MAP_FAILED)
        control = mapped;
    close(file);
}

// The disk. System calls are made directly: nothing of libc's own is needed here.

static void linger(int64_t ns) {
    int before = errno;
    struct timespec left = {ns / 1000000000, ns % 1000000000};
    while (ns > 0 && nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
    errno = before;
}

// Whether a write may go on that ends at a place of the file, -1 for its end. What a process says of itself may always.
static int may_write(int file, off_t end) {
    int64_t full = control->full;
    struct stat about;
    if ((control->write_ns == 0 && !full) || file <= 2)
        return 1;
    if (fstat(file, &about) != 0 || !S_ISREG(about.st_mode) || about.st_dev != disk)
        return 1;
    linger(control->write_ns);
    int refused = full == 2 || (full == 1 && (end < 0 || end > about.st_size));
    if (refused)
        errno = ENOSPC;
    return !refused;
}

static off_t length(const struct iovec *parts, int count) {
    off_t sum = 0;
    for (int i = 0; i < count; i++)
        sum += parts[i].iov_len;
    return sum;
}

int fsync(int file) {
    linger(control->sync_ns);
    return syscall(SYS_fsync, file);
}

int fdatasync(int file) {
    linger(control->sync_ns);
    return syscall(SYS_fdatasync, file);
}

ssize_t write(int file, const void *data, size_t size) {
    return may_write(file, -1) ? syscall(SYS_write, file, data, size) : -1;
}

ssize_t pwrite(int file, const void *data, size_t size, off_t offset) {
    return may_write(file, offset + size) ? syscall(SYS_pwrite64, file, data, size, offset) : -1;
}

ssize_t pwrite64(int file, const void *data, size_t size, off64_t offset) { return pwrite(file, data, size, offset); }

ssize_t writev(int file, const struct iovec *parts, int count) {
    return may_write(file, -1) ? syscall(SYS_writev, file, parts, count) : -1;
}

ssize_t pwritev(int file, const struct iovec *parts, int count, off_t offset) {
    return may_write(file, offset + length(parts, count)) ? syscall(SYS_pwritev, file, parts, count, offset, 0L) : -1;
}

ssize_t pwritev64(int file, const struct iovec *parts, int count, off64_t offset) {
    return pwritev(file, parts, count, offset);
}

int fallocate(int file, int mode, off_t offset, off_t size) {
    return may_write(file, offset + size) ? (int)syscall(SYS_fallocate, file, mode, offset, size) : -1;
}

int fallocate64(int file, int mode, off64_t offset, off64_t size) { return fallocate(file, mode, offset, size); }

int posix_fallocate(int file, off_t offset, off_t size) { return fallocate(file, 0, offset, size) == 0 ? 0 : errno; }

int posix_fallocate64(int file, off64_t offset, off64_t size) { return posix_fallocate(file, offset, size); }

// The wall clock; CLOCK_MONOTONIC stays.

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) \
        real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static struct timespec moved(struct timespec at, int64_t ns) {
    int64_t part = at.tv_nsec + ns % 1000000000;
    at.tv_sec += ns / 1000000000 + (part >= 1000000000) - (part < 0);
    at.tv_nsec = part + (part < 0) * 1000000000 - (part >= 1000000000) * 1000000000;
    return at;
}

int clock_gettime(clockid_t which, struct timespec *now) {
    REAL(clock_gettime);
    int failed = real(which, now);
    if (!failed && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE))
        *now = moved(*now, control->clock_ns);
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    now->tv_sec = at.tv_sec;
    now->tv_usec = at.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    if (now)
        *now = at.tv_sec;
    return at.tv_sec;
}

// Who waits until a time of the wall clock sees it jump: it waits as long as that clock says, woken for nothing now and then.

static const int64_t LOOK_AGAIN = 100 * 1000000LL;

static int later(struct timespec a, struct timespec b) {
    return a.tv_sec > b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec);
}

static struct timespec next_look(struct timespec until, int *early) {
    struct timespec look, end = moved(until, -control->clock_ns);
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &look);
    look = moved(look, LOOK_AGAIN);
    *early = later(end, look);
    return *early ? look : end;
}

int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict lock, const struct timespec *restrict until) {
    REAL(cnd_timedwait);
    int early;
    struct timespec look = next_look(*until, &early);
    int ended = real(condition, lock, &look);
    return ended == thrd_timedout && early ? thrd_success : ended;
}

int pthread_cond_timedwait(
    pthread_cond_t *restrict condition, pthread_mutex_t *restrict lock, const struct timespec *restrict until) {
    static __typeof__(pthread_cond_timedwait) *real;
    if (!real) // of its two versions, dlsym gives the old one
        real = (__typeof__(real))dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    if (!real)
        real = (__typeof__(real))dlsym(RTLD_NEXT, "pthread_cond_timedwait");
    if (until->tv_sec < 1000000000) // not since 1970: the monotonic clock, which libuv has its conditions use
        return real(condition, lock, until);
    int early;
    struct timespec look = next_look(*until, &early);
    int ended = real(condition, lock, &look);
    return ended == ETIMEDOUT && early ? 0 : ended;
}
