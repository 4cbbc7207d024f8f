/** The runs of one JavaScript environment (the main thread or a worker) that may not have ended, and what lives until then. */
#pragma once
#include <napi.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace mlxc {

/**
 * `RunReference` points to something with `hasEnded()` and `problem()`. All but `notify` belongs to the thread of the environment. Runs
 * end in the order in which they were added.
 */
template <class RunReference>
class PendingRuns {
 public:
  /** How far calls may run ahead: so many runs, and beyond the second so many bytes. */
  static constexpr size_t kMost = 32;
  static constexpr int64_t kMostBytes = int64_t{256} << 20;

  void start(napi_env env, const char *name) {
    napi_create_threadsafe_function(env, nullptr, nullptr, Napi::String::New(env, name), 0, 1, nullptr, nullptr, this, onNotice,
                                    &notice_);
    napi_unref_threadsafe_function(env, notice_);
  }

  bool isEmpty() const { return pending_.empty(); }
  bool isFull(int64_t bytes) const {
    return pending_.size() >= kMost || (pending_.size() >= 2 && bytes_ + bytes > kMostBytes);
  }
  const RunReference &oldest() const { return pending_.front().run; }

  /** `kept` stays out of reach of the garbage collector until the run has ended. */
  void add(napi_env env, RunReference run, napi_value kept, int64_t bytes) {
    Pending pending{std::move(run), nullptr, bytes, {}, {}};
    napi_create_reference(env, kept, 1, &pending.kept);
    pending_.push_back(std::move(pending));
    bytes_ += bytes;
  }

  /** Calls `then` when the runs that are pending now have ended: at once when there are none. */
  void whenDone(std::function<void()> then) {
    if (pending_.empty()) then();
    else pending_.back().then.push_back(std::move(then));
  }

  /** When the environment ends: the runs have ended or never will; what waits for them takes place. */
  void leave() {
    for (Pending &pending : pending_) {
      for (const auto &then : std::exchange(pending.then, {})) then();
    }
  }

  /** From any thread: a run has ended. `settle` follows on the thread of the environment. */
  void notify() {
    if (!isNoticed_.exchange(true)) napi_call_threadsafe_function(notice_, nullptr, napi_tsfn_nonblocking);
  }

  /** Lets go of what the runs that have ended held, and settles their promises. */
  void settle(napi_env env) {
    while (!pending_.empty() && pending_.front().run->hasEnded()) {
      Pending ended = std::move(pending_.front());
      pending_.pop_front();
      bytes_ -= ended.bytes;
      napi_delete_reference(env, ended.kept);
      for (const auto &then : ended.then) then();
      for (napi_deferred promise : ended.promises) {
        napi_resolve_deferred(env, promise, Napi::String::New(env, ended.run->problem()));
      }
      promises_ -= ended.promises.size();
      if (!ended.promises.empty() && promises_ == 0) napi_unref_threadsafe_function(env, notice_);
    }
  }

  /** A promise of the problem of a run, or of an empty string. While there are any, the event loop stays. */
  napi_value ready(napi_env env, const RunReference &run) {
    napi_deferred deferred;
    napi_value promise;
    if (napi_create_promise(env, &deferred, &promise) != napi_ok) return nullptr;
    for (Pending &pending : pending_) {
      if (pending.run != run) continue;
      pending.promises.push_back(deferred);
      if (promises_++ == 0) napi_ref_threadsafe_function(env, notice_);
      // it may have ended, and its notice come, before the promise was there
      settle(env);
      return promise;
    }
    napi_resolve_deferred(env, deferred, Napi::String::New(env, run->problem()));
    return promise;
  }

 private:
  struct Pending {
    RunReference run;
    napi_ref kept;
    int64_t bytes;
    std::vector<napi_deferred> promises;
    /** Work that waits for this run and those before it. */
    std::vector<std::function<void()>> then;
  };

  static void onNotice(napi_env env, napi_value, void *context, void *) {
    auto *runs = static_cast<PendingRuns *>(context);
    runs->isNoticed_.store(false);
    if (env != nullptr) runs->settle(env);
  }

  /** In the order of submission. */
  std::deque<Pending> pending_;
  int64_t bytes_ = 0;
  size_t promises_ = 0;
  napi_threadsafe_function notice_ = nullptr;
  std::atomic<bool> isNoticed_{false};
};

}  // namespace mlxc
