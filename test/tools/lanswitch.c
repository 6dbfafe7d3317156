/*
 * lanswitch: join network namespaces as a switch joins machines on a local network, multicast included.
 *
 *   cc -O2 -o lanswitch lanswitch.c
 *   ip netns add a; ip netns add b
 *   ./lanswitch a=lan0=10.88.0.1 b=lan0=10.88.0.2
 *
 * Each namespace gets a TAP device of the given name with the address, in a network of 24 bits. Frames go to the port where
 * their destination was last seen, all others to every port. SIGTERM or SIGINT ends it. Needs root.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MAX_PORTS 64
#define FRAME_MAX 2048
#define BURST 256

static volatile sig_atomic_t stopping;
static void stop(int sig) { (void)sig; stopping = 1; }
static void die(const char *what) { fprintf(stderr, "lanswitch: %s: %s\n", what, strerror(errno)); exit(1); }

struct seen { uint8_t mac[6]; int port; };
static struct seen table[MAX_PORTS * 4];
static int seen_count;

static int open_tap(const char *ns, const char *device, const char *address) {
  char path[256], command[512];
  snprintf(path, sizeof path, "/var/run/netns/%s", ns);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) die(path);
  if (setns(fd, CLONE_NEWNET)) die("setns");
  close(fd);
  int tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (tap < 0) die("/dev/net/tun");
  struct ifreq request = {0};
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  strncpy(request.ifr_name, device, IFNAMSIZ - 1);
  if (ioctl(tap, TUNSETIFF, &request)) die("TUNSETIFF");
  snprintf(command, sizeof command, "ip netns exec %s sh -c 'ip link set lo up; ip addr add %s/24 dev %s; ip link set %s txqueuelen 10000 up'", ns, address, device, device);
  if (system(command)) { fprintf(stderr, "lanswitch: could not set up %s\n", ns); exit(1); }
  return tap;
}

static void learn(const uint8_t *mac, int port) {
  for (int i = 0; i < seen_count; i++) if (!memcmp(table[i].mac, mac, 6)) { table[i].port = port; return; }
  if (seen_count == MAX_PORTS * 4) return;
  memcpy(table[seen_count].mac, mac, 6);
  table[seen_count++].port = port;
}

static int port_of(const uint8_t *mac) {
  if (mac[0] & 1) return -1; /* multicast and broadcast */
  for (int i = 0; i < seen_count; i++) if (!memcmp(table[i].mac, mac, 6)) return table[i].port;
  return -1;
}

int main(int argc, char **argv) {
  struct pollfd ports[MAX_PORTS];
  int count = argc - 1;
  if (count < 1 || count > MAX_PORTS) { fprintf(stderr, "lanswitch: NAMESPACE=DEVICE=ADDRESS for 1 to %d ports\n", MAX_PORTS); return 2; }
  for (int i = 0; i < count; i++) {
    char *ns = argv[i + 1], *device = strchr(ns, '='), *address = device ? strchr(device + 1, '=') : NULL;
    if (!address) { fprintf(stderr, "lanswitch: %s is not NAMESPACE=DEVICE=ADDRESS\n", ns); return 2; }
    *device++ = 0; *address++ = 0;
    ports[i] = (struct pollfd){.fd = open_tap(ns, device, address), .events = POLLIN};
  }
  signal(SIGTERM, stop); signal(SIGINT, stop); signal(SIGPIPE, SIG_IGN);
  printf("lanswitch: up\n"); fflush(stdout);
  static uint8_t frame[FRAME_MAX];
  while (!stopping) {
    if (poll(ports, count, 1000) < 0 && errno != EINTR) die("poll");
    for (int from = 0; from < count; from++) {
      for (int burst = 0; burst < BURST; burst++) {
        ssize_t size = read(ports[from].fd, frame, sizeof frame);
        if (size < 14) break;
        learn(frame + 6, from);
        int to = port_of(frame);
        for (int port = 0; port < count; port++)
          if (port != from && (to < 0 || to == port) && write(ports[port].fd, frame, size) < 0) { /* full: dropped, as a switch does */ }
      }
    }
  }
  return 0;
}
