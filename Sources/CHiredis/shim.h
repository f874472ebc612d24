/// What of hiredis Swift cannot say: the functions that its reader calls for each part of a reply.
///
/// They lay the parts of a reply one behind the other, so that a reply of a hundred thousand parts is two blocks of memory, not a tree
/// of as many. What a reply says of its length is not believed: memory grows with the bytes that come, up to a limit.
#pragma once

#include <hiredis/hiredis.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
  chiredis_text = 1,
  chiredis_array,
  chiredis_integer,
  chiredis_nil,
  chiredis_status,
  chiredis_error,
};

typedef struct chiredis_part {
  int64_t kind;
  int64_t value;  // where a text begins, or an integer
  int64_t count;  // bytes of a text, elements of an array
} chiredis_part;

typedef struct chiredis_parts {
  chiredis_part *parts;
  int64_t count, room;
  char *bytes;
  int64_t byte_count, byte_room;
  int64_t most_parts, most_bytes;
} chiredis_parts;

/// Room for one more; 0 where there is none, which hiredis takes for memory that has run out.
static inline int chiredis_grow(void **memory, int64_t *room, int64_t wanted, int64_t most, int64_t size) {
  if (wanted <= *room) return 1;
  if (wanted > most) return 0;
  int64_t larger = wanted * 2 < most ? wanted * 2 : most;
  void *moved = realloc(*memory, (size_t)(larger * size));
  if (!moved) return 0;
  *memory = moved;
  *room = larger;
  return 1;
}

static inline void *chiredis_add(const redisReadTask *task, int64_t kind, int64_t value, int64_t count) {
  chiredis_parts *all = (chiredis_parts *)task->privdata;
  if (!chiredis_grow((void **)&all->parts, &all->room, all->count + 1, all->most_parts, sizeof *all->parts)) return 0;
  all->parts[all->count++] = (chiredis_part){kind, value, count};
  return all;
}

static inline void *chiredis_add_text(const redisReadTask *task, char *text, size_t count) {
  chiredis_parts *all = (chiredis_parts *)task->privdata;
  int64_t start = all->byte_count;
  if ((int64_t)count > all->most_bytes - start) return 0;
  if (!chiredis_grow((void **)&all->bytes, &all->byte_room, start + (int64_t)count, all->most_bytes, 1)) return 0;
  if (count) memcpy(all->bytes + start, text, count);
  all->byte_count += (int64_t)count;
  int64_t kind = task->type == REDIS_REPLY_ERROR    ? chiredis_error
                 : task->type == REDIS_REPLY_STATUS ? chiredis_status
                                                    : chiredis_text;
  return chiredis_add(task, kind, start, (int64_t)count);
}

#if HIREDIS_MAJOR >= 1
static inline void *chiredis_add_array(const redisReadTask *task, size_t count) {
#else
static inline void *chiredis_add_array(const redisReadTask *task, int count) {
#endif
  // Older libraries let a negative length through.
  return (int64_t)count < 0 ? 0 : chiredis_add(task, chiredis_array, 0, (int64_t)count);
}

static inline void *chiredis_add_integer(const redisReadTask *task, long long value) {
  return chiredis_add(task, chiredis_integer, value, 0);
}

static inline void *chiredis_add_nil(const redisReadTask *task) { return chiredis_add(task, chiredis_nil, 0, 0); }

static inline void chiredis_free_object(void *object) { (void)object; }

/// Makes the replies of `context` come into `all`.
static inline void chiredis_collect(redisContext *context, chiredis_parts *all) {
  static redisReplyObjectFunctions functions = {
      .createString = chiredis_add_text,
      .createArray = chiredis_add_array,
      .createInteger = chiredis_add_integer,
      .createNil = chiredis_add_nil,
      .freeObject = chiredis_free_object,
  };
  context->reader->fn = &functions;
  context->reader->privdata = all;
}

/// Bytes that have come and are not understood yet.
static inline int64_t chiredis_waiting(const redisContext *context) {
  return (int64_t)(context->reader->len - context->reader->pos);
}
