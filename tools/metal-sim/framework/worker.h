/** A thread that runs what it is given, in order, each in an autorelease pool of its own. It starts with the first. */
#pragma once

#import <Foundation/Foundation.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

class Worker {
 public:
  Worker() = default;
  Worker(const Worker &) = delete;
  Worker &operator=(const Worker &) = delete;
  /** Ends after what was posted. A worker may go in a job of its own: its thread ends by itself then. */
  ~Worker() {
    {
      const std::lock_guard lock(jobs_->mutex);
      jobs_->isEnding = true;
    }
    jobs_->changed.notify_all();
    if (!thread_.joinable()) return;
    if (thread_.get_id() == std::this_thread::get_id()) thread_.detach();
    else thread_.join();
  }

  void post(std::function<void()> job) {
    const std::lock_guard lock(jobs_->mutex);
    jobs_->list.push_back(std::move(job));
    if (!thread_.joinable()) thread_ = std::thread(run, jobs_);
    jobs_->changed.notify_all();
  }

 private:
  /** What the thread needs, for as long as it runs. */
  struct Jobs {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::function<void()>> list;
    bool isEnding = false;
  };

  static void run(std::shared_ptr<Jobs> jobs) {
    [NSThread currentThread];
    for (;;) {
      std::function<void()> next;
      {
        std::unique_lock lock(jobs->mutex);
        jobs->changed.wait(lock, [&] { return jobs->isEnding || !jobs->list.empty(); });
        if (jobs->list.empty()) return;
        next = std::move(jobs->list.front());
        jobs->list.pop_front();
      }
      @autoreleasepool {
        next();
        next = nullptr;
      }
    }
  }

  std::shared_ptr<Jobs> jobs_ = std::make_shared<Jobs>();
  std::thread thread_;
};
