/* One buffer to many sockets: the loop of a broadcast, for send_all.py. Knows nothing of Python. */

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#ifndef MSG_NOSIGNAL /* where it is missing, Python ignores SIGPIPE all the same */
#define MSG_NOSIGNAL 0
#endif

/*
 * Sends data[0..size) to each descriptor without waiting, and puts in its place how many bytes the kernel took: 0 for a
 * negative descriptor, which is left out, and after an error, which the next write by other means meets again.
 * Returns how many of them did not take all. The number in the name changes with the signature.
 */
size_t parlour_send_all_1(int *descriptors, size_t count, const char *data, size_t size)
{
    size_t behind = 0;
    for (size_t i = 0; i < count; i++) {
        ssize_t taken = 0;
        if (descriptors[i] >= 0) {
            do {
                taken = send(descriptors[i], data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
            } while (taken < 0 && errno == EINTR);
            if (taken < 0)
                taken = 0;
        }
        descriptors[i] = (int)taken;
        behind += (size_t)taken != size;
    }
    return behind;
}
