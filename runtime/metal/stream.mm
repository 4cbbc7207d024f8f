#import "stream.h"

#include <cstring>
#include <utility>

#import "objective-c.h"

namespace mlxc {

Stream &Stream::shared() {
  static Stream *const stream = new Stream;
  return *stream;
}

void Stream::submit(RunReference run) {
  std::unique_lock lock(mutex_);
  const bool isFirst = !isEncoding_ && waiting_.empty();
  const bool isQuick = run->instance_->isQuick();
  waiting_.push_back(std::move(run));
  if (isFirst && isQuick) return encodeNext(lock);
  if (!encoder_.joinable()) encoder_ = std::thread([this] { work(); });
  if (!isEncoding_) wake_.notify_one();
}

void Stream::wait(const Run &run) {
  if (run.hasEnded()) return;
  std::unique_lock lock(mutex_);
  while (!run.hasEnded()) {
    if (!isEncoding_ && !waiting_.empty()) encodeNext(lock);
    else ended_.wait(lock);
  }
}

void Stream::abandon(const void *owner) {
  std::unique_lock lock(mutex_);
  std::deque<RunReference> kept;
  for (RunReference &run : waiting_) {
    if (run->owner_ != owner) {
      kept.push_back(std::move(run));
      continue;
    }
    run->problem_ = "the run was abandoned";
    run->hasEnded_.store(true, std::memory_order_release);
  }
  waiting_ = std::move(kept);
  ended_.notify_all();
  ended_.wait(lock, [&] { return !isInFlight(owner); });
}

void Stream::stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  if (encoder_.joinable()) encoder_.join();
  encoder_ = std::thread();
  stop_ = false;
}

bool Stream::isInFlight(const void *owner) const {
  for (const RunReference &run : inFlight_) {
    if (run->owner_ == owner) return true;
  }
  return false;
}

void Stream::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [&] { return stop_ || (!isEncoding_ && !waiting_.empty()); });
    if (stop_) return;
    encodeNext(lock);
  }
}

/** Something waits and nobody encodes; the lock is released meanwhile. */
void Stream::encodeNext(std::unique_lock<std::mutex> &lock) {
  const RunReference run = std::move(waiting_.front());
  waiting_.pop_front();
  isEncoding_ = true;
  inFlight_.push_back(run);
  if (hasFailed_) replaceQueue(lock);
  lock.unlock();
  std::string problem = encodeRun(*MetalContext::shared(), *this, run);
  lock.lock();
  if (run->problem_.empty()) run->problem_ = std::move(problem);
  run->isEncoded_ = true;
  isEncoding_ = false;
  reap();
  if (!waiting_.empty()) wake_.notify_one();
}

void Stream::replaceQueue(std::unique_lock<std::mutex> &lock) {
  // all but the run that is next
  ended_.wait(lock, [&] { return inFlight_.size() == 1; });
  hasFailed_ = false;
  guarded([] {
    MetalContext::shared()->replaceQueue();
    return std::string();
  });
}

void Stream::committed(Run &run) {
  const std::lock_guard lock(mutex_);
  run.open_++;
}

void Stream::ended(const RunReference &run, std::string problem) {
  const std::lock_guard lock(mutex_);
  run->open_--;
  hasFailed_ = hasFailed_ || !problem.empty();
  if (run->problem_.empty()) run->problem_ = std::move(problem);
  reap();
}

std::string Stream::settle(const Run &run) {
  std::unique_lock lock(mutex_);
  // whoever is at the front has nothing before it
  ended_.wait(lock, [&] { return run.open_ == 0 && inFlight_.front().get() == &run; });
  return run.problem_;
}

void Stream::reap() {
  while (!inFlight_.empty() && inFlight_.front()->isEncoded_ && inFlight_.front()->open_ == 0) {
    const RunReference run = std::move(inFlight_.front());
    inFlight_.pop_front();
    for (const RunReference &earlier : run->after_) {
      // the cause tells more than what came of it
      if (!earlier->problem_.empty()) run->problem_ = earlier->problem_;
    }
    if (run->problem_.empty()) {
      for (const CopyOut &out : run->arguments_.copyOuts) std::memcpy(out.to, out.from.memory(), out.from.bytes);
    }
    run->arguments_ = {};
    run->after_.clear();
    run->instance_ = nullptr;
    run->hasEnded_.store(true, std::memory_order_release);
    run->notify_();
  }
  ended_.notify_all();
}

}  // namespace mlxc
