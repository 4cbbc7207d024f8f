/** The part of libdispatch that programs for Metal use: each queue has threads of its own, started when there is work. */
#include <dispatch/dispatch.h>

#include <Block.h>

#import <Foundation/Foundation.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

using Clock = std::chrono::steady_clock;

struct SimDispatchObject {
  std::atomic<long> references{1};
  std::mutex mutex;
  std::condition_variable changed;
  // a queue
  std::deque<dispatch_block_t> blocks;
  size_t most_threads = 1;
  size_t threads = 0;
  // a semaphore's value, or the open entries of a group
  intptr_t value = 0;
  std::vector<std::pair<dispatch_object_t, dispatch_block_t>> notifications;
  // data
  std::string bytes;
};

namespace {

void runBlocks(dispatch_object_t queue) {
  [NSThread currentThread];
  for (;;) {
    dispatch_block_t block = nil;
    {
      const std::lock_guard lock(queue->mutex);
      if (queue->blocks.empty()) {
        queue->threads--;
        break;
      }
      block = queue->blocks.front();
      queue->blocks.pop_front();
    }
    @autoreleasepool {
      block();
    }
    Block_release(block);
  }
  dispatch_release(queue);
}

bool waitUntil(std::unique_lock<std::mutex> &lock, std::condition_variable &changed, dispatch_time_t timeout, auto isDone) {
  if (timeout == DISPATCH_TIME_FOREVER) {
    changed.wait(lock, isDone);
    return true;
  }
  const Clock::time_point end{std::chrono::nanoseconds(timeout)};
  return changed.wait_until(lock, timeout == DISPATCH_TIME_NOW ? Clock::now() : end, isDone);
}

dispatch_object_t makeQueue(size_t threads) {
  auto *queue = new SimDispatchObject;
  queue->most_threads = threads;
  return queue;
}

}  // namespace

extern "C" {

void dispatch_retain(dispatch_object_t object) { object->references++; }
void dispatch_release(dispatch_object_t object) {
  if (--object->references == 0) delete object;
}

dispatch_queue_t dispatch_queue_create(const char *, dispatch_queue_attr_t attribute) {
  return makeQueue(attribute == DISPATCH_QUEUE_SERIAL ? 1 : std::max(2u, std::thread::hardware_concurrency()));
}
dispatch_queue_t dispatch_get_global_queue(intptr_t, uintptr_t) {
  static dispatch_queue_t queue = makeQueue(std::max(4u, std::thread::hardware_concurrency()));
  return queue;
}
dispatch_queue_t dispatch_get_main_queue(void) {
  static dispatch_queue_t queue = makeQueue(1);
  return queue;
}

void dispatch_async(dispatch_queue_t queue, dispatch_block_t block) {
  const std::lock_guard lock(queue->mutex);
  queue->blocks.push_back(Block_copy(block));
  if (queue->threads == queue->most_threads) return;
  queue->threads++;
  queue->references++;
  std::thread(runBlocks, queue).detach();
}
void dispatch_sync(dispatch_queue_t queue, dispatch_block_t block) {
  dispatch_group_t group = dispatch_group_create();
  dispatch_group_async(group, queue, block);
  dispatch_group_wait(group, DISPATCH_TIME_FOREVER);
  dispatch_release(group);
}
void dispatch_async_f(dispatch_queue_t queue, void *context, dispatch_function_t work) {
  dispatch_async(queue, ^{
    work(context);
  });
}
void dispatch_apply(size_t iterations, dispatch_queue_t queue, void (^block)(size_t)) {
  if (queue == nullptr) queue = dispatch_get_global_queue(0, 0);
  dispatch_group_t group = dispatch_group_create();
  for (size_t i = 0; i < iterations; i++) {
    dispatch_group_async(group, queue, ^{
      block(i);
    });
  }
  dispatch_group_wait(group, DISPATCH_TIME_FOREVER);
  dispatch_release(group);
}
void dispatch_after(dispatch_time_t when, dispatch_queue_t queue, dispatch_block_t block) {
  dispatch_block_t copy = Block_copy(block);
  dispatch_retain(queue);
  std::thread([=] {
    std::this_thread::sleep_until(Clock::time_point(std::chrono::nanoseconds(when)));
    dispatch_async(queue, copy);
    Block_release(copy);
    dispatch_release(queue);
  }).detach();
}
void dispatch_once(dispatch_once_t *predicate, dispatch_block_t block) {
  static std::recursive_mutex mutex;
  const std::lock_guard lock(mutex);
  if (*predicate != 0) return;
  block();
  *predicate = ~0l;
}

dispatch_time_t dispatch_time(dispatch_time_t when, int64_t nanoseconds) {
  if (when == DISPATCH_TIME_FOREVER) return when;
  const auto start = when == DISPATCH_TIME_NOW ? Clock::now().time_since_epoch() : std::chrono::nanoseconds(when);
  return static_cast<dispatch_time_t>((start + std::chrono::nanoseconds(nanoseconds)).count());
}

dispatch_semaphore_t dispatch_semaphore_create(intptr_t value) {
  auto *semaphore = new SimDispatchObject;
  semaphore->value = value;
  return semaphore;
}
intptr_t dispatch_semaphore_wait(dispatch_semaphore_t semaphore, dispatch_time_t timeout) {
  std::unique_lock lock(semaphore->mutex);
  if (!waitUntil(lock, semaphore->changed, timeout, [&] { return semaphore->value > 0; })) return 1;
  semaphore->value--;
  return 0;
}
intptr_t dispatch_semaphore_signal(dispatch_semaphore_t semaphore) {
  const std::lock_guard lock(semaphore->mutex);
  semaphore->value++;
  semaphore->changed.notify_one();
  return 0;
}

dispatch_group_t dispatch_group_create(void) { return new SimDispatchObject; }
void dispatch_group_enter(dispatch_group_t group) {
  const std::lock_guard lock(group->mutex);
  group->value++;
  group->references++;
}
void dispatch_group_leave(dispatch_group_t group) {
  std::vector<std::pair<dispatch_object_t, dispatch_block_t>> due;
  {
    const std::lock_guard lock(group->mutex);
    if (--group->value == 0) {
      due.swap(group->notifications);
      group->changed.notify_all();
    }
  }
  for (const auto &[queue, block] : due) {
    dispatch_async(queue, block);
    Block_release(block);
    dispatch_release(queue);
  }
  dispatch_release(group);
}
void dispatch_group_async(dispatch_group_t group, dispatch_queue_t queue, dispatch_block_t block) {
  dispatch_group_enter(group);
  dispatch_async(queue, ^{
    block();
    dispatch_group_leave(group);
  });
}
intptr_t dispatch_group_wait(dispatch_group_t group, dispatch_time_t timeout) {
  std::unique_lock lock(group->mutex);
  return waitUntil(lock, group->changed, timeout, [&] { return group->value == 0; }) ? 0 : 1;
}
void dispatch_group_notify(dispatch_group_t group, dispatch_queue_t queue, dispatch_block_t block) {
  {
    const std::lock_guard lock(group->mutex);
    if (group->value > 0) {
      dispatch_retain(queue);
      group->notifications.emplace_back(queue, Block_copy(block));
      return;
    }
  }
  dispatch_async(queue, block);
}

dispatch_data_t dispatch_data_create(const void *buffer, size_t size, dispatch_queue_t, dispatch_block_t destructor) {
  auto *data = new SimDispatchObject;
  data->bytes.assign(static_cast<const char *>(buffer), size);
  if (destructor != nil) destructor();
  return data;
}
size_t dispatch_data_get_size(dispatch_data_t data) { return data->bytes.size(); }

}  // extern "C"

/** For newLibraryWithData: in one piece, as everything that was created here. */
const std::string &SimBytesOf(dispatch_data_t data) { return data->bytes; }
