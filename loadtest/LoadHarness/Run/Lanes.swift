import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// All lanes of a run, told what to do from the thread that makes the run.
struct Lanes {
  private let lanes: [(loop: any EventLoop, lane: NIOLoopBound<LoadLane>)]
  private let done = NIOLockedValueBox<Set<Int>>([])
  let bodyBytes: Int

  init(_ plan: LoadPlan, _ group: MultiThreadedEventLoopGroup) throws(LoadError) {
    let requests = PreparedRequests(plan)
    bodyBytes = requests.bodyBytes
    let done = done
    do {
      lanes = try (0..<plan.loops).map { index in
        let loop = group.next()
        let lane = try loop.submit {
          let lane = LoadLane(plan, requests, loop: loop, lane: index) { _ = done.withLockedValue { $0.insert(index) } }
          return NIOLoopBound(lane, eventLoop: loop)
        }.wait()
        return (loop, lane)
      }
    } catch {
      throw LoadError(.badPlan, "The event loops did not start: \(error)")
    }
  }

  /// Opens all connections and says how many stand.
  func connect() throws(LoadError) -> Int {
    do {
      let opening = lanes.map { lane in lane.loop.flatSubmit { lane.lane.value.connect() } }
      for future in opening { try future.wait() }
      return try lanes.reduce(0) { sum, lane in
        sum + (try lane.loop.submit { lane.lane.value.openConnections }.wait())
      }
    } catch {
      throw LoadError(.connectFailed, "The connections could not be made: \(error)")
    }
  }

  func begin(_ window: LoadWindow) { onEach { $0.begin(window) } }

  func stopIssuing() { onEach { $0.stopIssuing() } }

  var areDone: Bool { done.withLockedValue { $0.count } == lanes.count }

  /// Sleeps until every lane has nothing more to do, or until the time given.
  func waitUntilDone(orNanoseconds deadline: UInt64) {
    while !areDone {
      let now = NIODeadline.now().uptimeNanoseconds
      guard now < deadline else { return }
      Thread.sleep(forTimeInterval: min(0.01, Double(deadline - now) / 1_000_000_000))
    }
  }

  /// Ends every lane and merges what they counted.
  func end() throws(LoadError) -> LaneResult {
    do {
      var merged: LaneResult?
      for lane in lanes {
        let result = try lane.loop.submit {
          lane.lane.value.end()
          return lane.lane.value.result
        }.wait()
        merged?.add(result)
        if merged == nil { merged = result }
      }
      return merged ?? LaneResult(keys: 0, targets: 0, tenants: 0, classes: 0)
    } catch {
      throw LoadError(.badPlan, "The event loops ended too early: \(error)")
    }
  }

  /// What all lanes counted since this was last asked.
  func takeInterval() throws(LoadError) -> LaneInterval {
    do {
      return try lanes.reduce(into: LaneInterval()) { sum, lane in
        sum.add(try lane.loop.submit { lane.lane.value.takeInterval() }.wait())
      }
    } catch {
      throw LoadError(.badPlan, "The event loops ended too early: \(error)")
    }
  }

  private func onEach(_ action: @escaping @Sendable (LoadLane) -> Void) {
    for lane in lanes { lane.loop.execute { action(lane.lane.value) } }
  }
}
