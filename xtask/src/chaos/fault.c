/* Loaded before the C library (LD_PRELOAD): lets the operation on files numbered EMBERLAB_FAULT_AT fail
   as EMBERLAB_FAULT says. `enospc`, `eio`: that one fails. `full`: from it on, whatever takes room on the
   disk does. `short`: that write takes half of its bytes. Operations are counted in the order in which they
   come: files created, folders made, writes to regular files, fsyncs, truncations and renames; their
   number goes to the file EMBERLAB_FAULT_COUNT at the end. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_long count;
static long at = -1;
static const char *fault = "";

__attribute__((constructor)) static void begin(void) {
  const char *number = getenv("EMBERLAB_FAULT_AT"), *kind = getenv("EMBERLAB_FAULT");
  if (number) at = atol(number);
  if (kind) fault = kind;
}

__attribute__((destructor)) static void end(void) {
  const char *path = getenv("EMBERLAB_FAULT_COUNT");
  FILE *file = path ? fopen(path, "w") : NULL;
  if (file) {
    fprintf(file, "%ld", atomic_load(&count));
    fclose(file);
  }
}

/* Whether the operation that comes now is to fail; `room`: whether it takes room on the disk. */
static int fails(int room) {
  long number = atomic_fetch_add(&count, 1);
  int full = !strcmp(fault, "full");
  if (!strcmp(fault, "short") || at < 0) return 0;
  if (full ? number < at || !room : number != at) return 0;
  errno = strcmp(fault, "eio") ? ENOSPC : EIO;
  return 1;
}

static int is_regular(int fd) {
  struct stat status;
  return fd > 2 && !fstat(fd, &status) && S_ISREG(status.st_mode);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t length) {
  if (is_regular(fd)) {
    int half = !strcmp(fault, "short") && atomic_load(&count) == at && length > 1;
    if (fails(1)) return -1;
    if (half) length /= 2;
  }
  return NEXT(write)(fd, bytes, length);
}

int open64(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  if (flags & O_CREAT && fails(1)) return -1;
  return NEXT(open64)(path, flags, mode);
}

int mkdir(const char *path, mode_t mode) { return fails(1) ? -1 : NEXT(mkdir)(path, mode); }
int fsync(int fd) { return fails(0) ? -1 : NEXT(fsync)(fd); }
int ftruncate64(int fd, off64_t length) { return fails(0) ? -1 : NEXT(ftruncate64)(fd, length); }
int rename(const char *from, const char *to) { return fails(0) ? -1 : NEXT(rename)(from, to); }
