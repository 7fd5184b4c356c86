/* OsmoMSC ends at its start where the kernel has no SCTP, as in most containers. SMPP needs none:
 * preloaded, this makes the sockets towards base stations, which nobody uses here, plain TCP. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <sys/socket.h>

int socket(int domain, int type, int protocol)
{
    int (*real)(int, int, int) = (int (*)(int, int, int))dlsym(RTLD_NEXT, "socket");
    return real(domain, type, protocol == IPPROTO_SCTP ? 0 : protocol);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
    int (*real)(int, int, int, const void *, socklen_t) =
        (int (*)(int, int, int, const void *, socklen_t))dlsym(RTLD_NEXT, "setsockopt");
    return level == IPPROTO_SCTP ? 0 : real(fd, level, name, value, size);
}

int sctp_bindx(int fd, struct sockaddr *address, int count, int flags)
{
    (void)count;
    (void)flags;
    return bind(fd, address, address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                             : sizeof(struct sockaddr_in));
}
