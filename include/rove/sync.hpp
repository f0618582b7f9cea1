// Synchronization. Goroutines and plain threads, and goroutines of two runtimes, may meet on each of these.
//
// Each may be destroyed as soon as the call that waited on it returned: who wakes a waiter touches nothing afterwards.
// An operation that need not wait never enters the scheduler. Each header below can be included alone.
#pragma once

#include <rove/sync/barrier.hpp>
#include <rove/sync/condition_variable.hpp>
#include <rove/sync/error_group.hpp>
#include <rove/sync/event.hpp>
#include <rove/sync/goroutine_local.hpp>
#include <rove/sync/latch.hpp>
#include <rove/sync/mutex.hpp>
#include <rove/sync/once.hpp>
#include <rove/sync/semaphore.hpp>
#include <rove/sync/shared_mutex.hpp>
#include <rove/sync/singleflight.hpp>
#include <rove/sync/wait_group.hpp>
