// What Swift cannot say of processes: what a child does between its making and the program that it becomes, and the queue of
// signals, whose header Swift does not import.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

// Behind _GNU_SOURCE, which Swift's C does not define.
extern char **environ;
extern int execvpe(const char *file, char *const arguments[], char *const environment[]);
extern int pipe2(int ends[2], int flags);

// How a child is to be. The numbers are 0 where nothing is asked for.
typedef struct cprocess_plan {
  int input, output, error;       // descriptors that become 0, 1 and 2
  int own_group;                  // a process group of its own, which the keys of a terminal do not reach
  int dies_with_parent;           // killed when the thread that made it ends
  const char *file;               // a path, or a name to be found in PATH
  char *const *arguments;         // with the name first, ended by a null pointer
  char *const *environment;
} cprocess_plan;

// Sets what this process may take: the limit that it may raise again itself, not the one above it.
static inline int cprocess_limit(int resource, rlim_t most) {
  struct rlimit limit;
  if (getrlimit(resource, &limit)) return -1;
  limit.rlim_cur = most < limit.rlim_max ? most : limit.rlim_max;
  return setrlimit(resource, &limit);
}
static inline int cprocess_limit_addresses(rlim_t bytes) { return cprocess_limit(RLIMIT_AS, bytes); }
static inline int cprocess_limit_processor(rlim_t seconds) { return cprocess_limit(RLIMIT_CPU, seconds); }
static inline int cprocess_limit_core(rlim_t bytes) { return cprocess_limit(RLIMIT_CORE, bytes); }

// A descriptor that stands where another is wanted is moved out of the way first.
static inline int cprocess_wire(int input, int output, int error) {
  int from[3] = {input, output, error};
  for (int i = 0; i < 3; i++)
    if (from[i] < 3 && from[i] != i && (from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 3)) < 0) return -1;
  for (int i = 0; i < 3; i++)
    if (from[i] == i ? fcntl(i, F_SETFD, 0) : dup2(from[i], i) < 0) return -1;
  return 0;
}

// Starts a program; returns its process id, or -1 with errno set, also where the program itself cannot be run.
//
// vfork, not fork: no handler of a library runs (MPI would warn), and a rank with much memory starts a child as fast as a small one.
// The child borrows our memory and may only make system calls until it becomes the program. All signals are blocked meanwhile: a
// handler of ours must not run in it.
static inline __attribute__((noinline)) pid_t cprocess_spawn(const cprocess_plan *plan) {
  sigset_t all, before, none;
  sigfillset(&all);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &all, &before);
  pid_t parent = getpid();
  volatile int failure = 0;
  pid_t child = vfork();
  if (child == 0) {
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    int wrong = plan->own_group && setpgid(0, 0);
    wrong = wrong || (plan->dies_with_parent && prctl(PR_SET_PDEATHSIG, SIGKILL));
    wrong = wrong || cprocess_wire(plan->input, plan->output, plan->error);
    if (!wrong && (!plan->dies_with_parent || getppid() == parent)) {
      sigprocmask(SIG_SETMASK, &none, 0);
      execvpe(plan->file, plan->arguments, plan->environment);
    }
    failure = errno;
    _exit(127);
  }
  int code = child < 0 ? errno : failure;
  sigprocmask(SIG_SETMASK, &before, 0);
  if (child < 0 || code == 0) {
    errno = code;
    return child;
  }
  while (waitpid(child, 0, 0) < 0 && errno == EINTR) {}
  errno = code;
  return -1;
}

// A descriptor from which the signals can be read that come from now on; they no longer do anything else.
static inline int cprocess_queue_signals(const int *numbers, int count) {
  sigset_t set;
  sigemptyset(&set);
  for (int i = 0; i < count; i++) sigaddset(&set, numbers[i]);
  if (sigprocmask(SIG_BLOCK, &set, 0) < 0) return -1;
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

// The next signal of such a queue; 0 where there is none.
static inline int cprocess_next_signal(int queue) {
  struct signalfd_siginfo info;
  return read(queue, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

// Blocks the signals that come from outside in this thread; `before` gets those that were blocked already.
static inline void cprocess_block_signals(sigset_t *before) {
  const int own[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS};
  sigset_t set;
  sigfillset(&set);
  for (unsigned i = 0; i < sizeof own / sizeof *own; i++) sigdelset(&set, own[i]);
  pthread_sigmask(SIG_BLOCK, &set, before);
}

// Names this thread, by the first 15 bytes.
static inline void cprocess_name_thread(const char *name) { prctl(PR_SET_NAME, name); }

// The number of this thread in the kernel.
static inline pid_t cprocess_thread(void) { return (pid_t)syscall(SYS_gettid); }

// The processor that this thread runs on; -1 where nobody knows.
static inline int cprocess_processor(void) {
  unsigned processor;
  return syscall(SYS_getcpu, &processor, 0, 0) ? -1 : (int)processor;
}

// Whether a thread gets only what others leave of the processors (SCHED_IDLE), or its part.
static inline int cprocess_set_idle(pid_t thread, int idle) {
  const int priority = 0;
  return (int)syscall(SYS_sched_setscheduler, thread, idle ? 5 : 0, &priority);
}

// Lets this thread run on one processor alone.
static inline int cprocess_stay_on(int processor) {
  unsigned long set[16] = {0};
  const int bits = 8 * sizeof *set;
  if (processor < 0 || processor >= 16 * bits) return -1;
  set[processor / bits] = 1ul << processor % bits;
  return (int)syscall(SYS_sched_setaffinity, 0, sizeof set, set);
}

// Takes the room for a file of so many bytes.
static inline int cprocess_reserve(int descriptor, off_t bytes) {
  return (int)syscall(SYS_fallocate, descriptor, 0, (off_t)0, bytes);
}

// Whether writes go past the system's cache.
static inline int cprocess_set_direct(int descriptor, int on) {
  int flags = fcntl(descriptor, F_GETFL);
  if (flags < 0) return -1;
  return fcntl(descriptor, F_SETFL, on ? flags | __O_DIRECT : flags & ~__O_DIRECT);
}

static inline char **cprocess_environment(void) { return environ; }
