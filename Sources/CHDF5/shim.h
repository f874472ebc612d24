/// What of HDF5's interface Swift cannot see: macros with casts, and functions that are macros from version to version.
#pragma once

#include <hdf5.h>
#include <stdlib.h>

// Files.

static inline unsigned chdf5_open_read_only(void) { return H5F_ACC_RDONLY; }
static inline unsigned chdf5_open_single_writer(void) { return H5F_ACC_RDONLY | H5F_ACC_SWMR_READ; }
static inline unsigned chdf5_create_truncate(void) { return H5F_ACC_TRUNC; }

/// File locks fail on many parallel file systems. Older libraries know no property for it, only the environment.
static inline herr_t chdf5_disable_file_locking(hid_t access) {
#if H5_VERSION_GE(1, 10, 7) && !(H5_VERS_MINOR == 12 && H5_VERS_RELEASE < 1)
  return H5Pset_file_locking(access, 0, 1);
#else
  (void)access;
  return setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0);
#endif
}

/// Writes the format of 1.10, which carries checksums in all its own structures.
static inline herr_t chdf5_set_format(hid_t access) {
  return H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_LATEST);
}

// Constants.

static inline hid_t chdf5_default(void) { return H5P_DEFAULT; }
static inline hid_t chdf5_whole_space(void) { return H5S_ALL; }
static inline hsize_t chdf5_unlimited(void) { return H5S_UNLIMITED; }
static inline size_t chdf5_variable_length(void) { return H5T_VARIABLE; }
static inline size_t chdf5_default_cache_slots(void) { return H5D_CHUNK_CACHE_NSLOTS_DEFAULT; }

// Classes of property lists.

static inline hid_t chdf5_file_access_class(void) { return H5P_FILE_ACCESS; }
static inline hid_t chdf5_file_create_class(void) { return H5P_FILE_CREATE; }
static inline hid_t chdf5_group_create_class(void) { return H5P_GROUP_CREATE; }
static inline hid_t chdf5_dataset_create_class(void) { return H5P_DATASET_CREATE; }
static inline hid_t chdf5_dataset_access_class(void) { return H5P_DATASET_ACCESS; }
static inline hid_t chdf5_dataset_transfer_class(void) { return H5P_DATASET_XFER; }

// Types as they lie in this machine's memory.

static inline hid_t chdf5_native_float(void) { return H5T_NATIVE_FLOAT; }
static inline hid_t chdf5_native_double(void) { return H5T_NATIVE_DOUBLE; }
static inline hid_t chdf5_native_int8(void) { return H5T_NATIVE_INT8; }
static inline hid_t chdf5_native_int16(void) { return H5T_NATIVE_INT16; }
static inline hid_t chdf5_native_int32(void) { return H5T_NATIVE_INT32; }
static inline hid_t chdf5_native_int64(void) { return H5T_NATIVE_INT64; }
static inline hid_t chdf5_native_uint8(void) { return H5T_NATIVE_UINT8; }
static inline hid_t chdf5_native_uint16(void) { return H5T_NATIVE_UINT16; }
static inline hid_t chdf5_native_uint32(void) { return H5T_NATIVE_UINT32; }
static inline hid_t chdf5_native_uint64(void) { return H5T_NATIVE_UINT64; }
static inline hid_t chdf5_c_string(void) { return H5T_C_S1; }

// The same types as a file holds them on any machine, to tell an ordinary number from one with odd bit fields.

static inline hid_t chdf5_ieee_float32(int big) { return big ? H5T_IEEE_F32BE : H5T_IEEE_F32LE; }
static inline hid_t chdf5_ieee_float64(int big) { return big ? H5T_IEEE_F64BE : H5T_IEEE_F64LE; }

// Functions whose names or arguments changed between versions.

/// The kind of the link `name`: hard, soft, external or user-defined; negative on failure.
static inline int chdf5_link_type(hid_t location, const char *name) {
  H5L_info_t info;
  if (H5Lget_info(location, name, &info, H5P_DEFAULT) < 0) return -1;
  return (int)info.type;
}

typedef herr_t (*chdf5_visit)(const char *name, void *context);

typedef struct {
  chdf5_visit visit;
  void *context;
} chdf5_visitor;

static herr_t chdf5_visit_link(hid_t group, const char *name, const H5L_info_t *info, void *visitor) {
  (void)group;
  (void)info;
  return ((chdf5_visitor *)visitor)->visit(name, ((chdf5_visitor *)visitor)->context);
}

/// Calls `visit` with the name of every link in `group`, in the order of the names.
static inline herr_t chdf5_visit_links(hid_t group, chdf5_visit visit, void *context) {
  chdf5_visitor visitor = {visit, context};
  return H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, chdf5_visit_link, &visitor);
}

static herr_t chdf5_visit_attribute(hid_t object, const char *name, const H5A_info_t *info, void *visitor) {
  (void)object;
  (void)info;
  return ((chdf5_visitor *)visitor)->visit(name, ((chdf5_visitor *)visitor)->context);
}

/// Calls `visit` with the name of every attribute of `object`, in the order of the names.
static inline herr_t chdf5_visit_attributes(hid_t object, chdf5_visit visit, void *context) {
  chdf5_visitor visitor = {visit, context};
  return H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, NULL, chdf5_visit_attribute, &visitor);
}

/// The stored bytes of the chunk at `offset`, as they are in the file. `bytes` must hold what
/// `H5Dget_chunk_storage_size` says.
static inline herr_t chdf5_read_chunk(hid_t dataset, const hsize_t *offset, uint32_t *skipped, void *bytes) {
#if H5_VERSION_GE(2, 0, 0)
  return H5Dread_chunk1(dataset, H5P_DEFAULT, offset, skipped, bytes);
#else
  return H5Dread_chunk(dataset, H5P_DEFAULT, offset, skipped, bytes);
#endif
}

// Behind _GNU_SOURCE, which Swift's C does not define.
extern int sync_file_range(int descriptor, int64_t offset, int64_t bytes, unsigned flags);

/// Lets the system begin to write what the file holds, so that there is less to wait for at its end. A hint: nothing follows from a failure.
static inline void chdf5_start_writing(hid_t file) {
  int *descriptor;
  if (H5Fget_vfd_handle(file, H5P_DEFAULT, (void **)&descriptor) >= 0) (void)sync_file_range(*descriptor, 0, 0, 2 /* SYNC_FILE_RANGE_WRITE */);
}

// Where data lie in the file.

/// The descriptor of a file that the library reads by the system's own calls, and whose addresses count from its first byte; -1 for others.
static inline int chdf5_descriptor(hid_t file) {
  hid_t access = H5Fget_access_plist(file), creation = H5Fget_create_plist(file);
  hsize_t user_block = 1;
  void *descriptor = NULL;
  int is_plain = access >= 0 && creation >= 0 && H5Pget_driver(access) == H5FD_SEC2 && H5Pget_userblock(creation, &user_block) >= 0 &&
                 user_block == 0 && H5Fget_vfd_handle(file, H5P_DEFAULT, &descriptor) >= 0 && descriptor;
  if (access >= 0) H5Pclose(access);
  if (creation >= 0) H5Pclose(creation);
  return is_plain ? *(int *)descriptor : -1;
}

/// The place of a contiguous data set; -1 where it has none.
static inline int64_t chdf5_offset(hid_t dataset) {
  haddr_t address = H5Dget_offset(dataset);
  return address == HADDR_UNDEF ? -1 : (int64_t)address;
}

/// The place of a chunk of `bytes` stored bytes that has passed all filters; -1 where there is no such chunk.
static inline int64_t chdf5_chunk_offset(hid_t dataset, const hsize_t *offset, hsize_t bytes) {
#if H5_VERSION_GE(1, 10, 5)
  unsigned skipped = 0;
  haddr_t address = HADDR_UNDEF;
  hsize_t size = 0;
  if (H5Dget_chunk_info_by_coord(dataset, offset, &skipped, &address, &size) < 0) return -1;
  return address == HADDR_UNDEF || skipped != 0 || size != bytes ? -1 : (int64_t)address;
#else
  return -1;
#endif
}
