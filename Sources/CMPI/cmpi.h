// The MPI library as Swift can see it: mpi.h, and a function for each macro that Swift cannot import because it casts.
//
// This must stay the only C module that includes mpi.h: a second one would bring the handle types in again, without the
// notes of CMPI.apinotes, and MPI_Comm, MPI_Datatype and MPI_Op would be one pointer type again.
#pragma once
#include <mpi.h>
#include <signal.h>
#include <sys/prctl.h>

static inline MPI_Comm cmpi_comm_world(void) { return MPI_COMM_WORLD; }
static inline MPI_Comm cmpi_comm_null(void) { return MPI_COMM_NULL; }
static inline MPI_Info cmpi_info_null(void) { return MPI_INFO_NULL; }
// An enum in Open MPI, a macro in MPICH.
static inline int cmpi_shared_memory(void) { return MPI_COMM_TYPE_SHARED; }
static inline MPI_Win cmpi_window_null(void) { return MPI_WIN_NULL; }
static inline MPI_Errhandler cmpi_errors_return(void) { return MPI_ERRORS_RETURN; }

// A request as a field: Swift sees a handle as optional where it is a pointer (Open MPI) and as not where it is an integer
// (MPICH), and the address of a field fits both.
typedef struct cmpi_request { MPI_Request handle; } cmpi_request;
static inline cmpi_request cmpi_request_null(void) { return (cmpi_request){MPI_REQUEST_NULL}; }
static inline int cmpi_request_is_null(cmpi_request request) { return request.handle == MPI_REQUEST_NULL; }

static inline void *cmpi_in_place(void) { return MPI_IN_PLACE; }
static inline MPI_Status *cmpi_status_ignore(void) { return MPI_STATUS_IGNORE; }
static inline MPI_Status *cmpi_statuses_ignore(void) { return MPI_STATUSES_IGNORE; }

static inline MPI_Datatype cmpi_float(void) { return MPI_FLOAT; }
static inline MPI_Datatype cmpi_double(void) { return MPI_DOUBLE; }
static inline MPI_Datatype cmpi_uint8(void) { return MPI_UINT8_T; }
static inline MPI_Datatype cmpi_int32(void) { return MPI_INT32_T; }
static inline MPI_Datatype cmpi_int64(void) { return MPI_INT64_T; }
static inline MPI_Datatype cmpi_uint64(void) { return MPI_UINT64_T; }

static inline MPI_Op cmpi_sum(void) { return MPI_SUM; }
static inline MPI_Op cmpi_product(void) { return MPI_PROD; }
static inline MPI_Op cmpi_minimum(void) { return MPI_MIN; }
static inline MPI_Op cmpi_maximum(void) { return MPI_MAX; }
static inline MPI_Op cmpi_bitwise_and(void) { return MPI_BAND; }
static inline MPI_Op cmpi_bitwise_or(void) { return MPI_BOR; }

// Not MPI, but variadic in C, which Swift cannot call: the kernel kills this process when its parent dies.
static inline int cmpi_die_with_parent(void) { return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); }

// Flags in memory that processes share. A store releases what its process has written before; a load that sees it acquires that.
static inline void cmpi_raise(unsigned long long *flag, unsigned long long value) {
  __atomic_store_n(flag, value, __ATOMIC_RELEASE);
}
static inline unsigned long long cmpi_flag(const unsigned long long *flag) {
  return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

// Tells the processor that this is a loop which waits.
static inline void cmpi_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}
