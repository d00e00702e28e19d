package import Foundation

/// A plan as a file says it: one JSON object, every member of it optional but `targets`.
///
/// This is what `bench.py` makes of a scenario and a target; the README of `loadtest/` has the scenario's members.
package struct PlanFile: Decodable {
  private struct Phase: Decodable {
    var seconds: Double
    var rate: Double
    var to: Double?
  }

  private struct Abort: Decodable {
    var share: Double
    var after_events: Int?
    var after_ms: Int?
  }

  private struct Class: Decodable {
    var name: String
    var weight: Double?
    var stream: Bool?
    var model: String?
    var prompt_bytes: Int?
    var prompt_prefix: String?
    var findings_per_kib: Double?
    var tools: Int?
    var template: String?
    var path: String?
    var abort: Abort?
    var tenants: [String]?
  }

  private struct Tenant: Decodable {
    var name: String
    var weight: Double?
    var keys: [String]?
  }

  private var targets: [String]
  private var classes: [Class]?
  private var tenants: [Tenant]?
  private var arrivals: String?
  private var phases: [Phase]?
  private var connections: Int?
  private var loops: Int?
  private var seed: UInt64?
  private var duration: Double?
  private var warm_up: Double?
  private var sample: Double?
  private var count: Int?
  private var headers: [String]?
  private var timeout: Double?
  private var drain: Double?
  private var pids: [Int32]?

  /// - Throws: ``LoadError`` with code `bad_plan` if the file is no such object, or says what cannot be done.
  package static func read(_ data: Data) throws(LoadError) -> LoadPlan {
    do {
      return try JSONDecoder().decode(PlanFile.self, from: data).plan()
    } catch let error as LoadError {
      throw error
    } catch let error as DecodingError {
      throw LoadError(.badPlan, "The plan is not understood: \(text(error))")
    } catch {
      throw LoadError(.badPlan, "The plan is not understood: \(error)")
    }
  }

  private static func text(_ error: DecodingError) -> String {
    switch error {
    case .keyNotFound(let key, let context): "\(path(context)) lacks '\(key.stringValue)'"
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
      "\(path(context)): \(context.debugDescription)"
    @unknown default: "\(error)"
    }
  }

  private static func path(_ context: DecodingError.Context) -> String {
    context.codingPath.isEmpty ? "the plan" : context.codingPath.map(\.stringValue).joined(separator: ".")
  }

  private func plan() throws(LoadError) -> LoadPlan {
    var plan = LoadPlan(targets: [])
    for target in targets { plan.targets.append(try LoopbackTarget(target)) }
    if let classes { plan.classes = classes.map(Self.requestClass) }
    if let tenants {
      plan.tenants = tenants.map { tenant in
        var made = LoadTenant()
        made.name = tenant.name
        made.weight = tenant.weight ?? 1
        made.keys = tenant.keys ?? []
        return made
      }
    }
    plan.pace = try pace()
    plan.connections = connections ?? plan.connections
    plan.loops = loops ?? plan.loops
    plan.seed = seed ?? plan.seed
    plan.durationSeconds = duration ?? plan.durationSeconds
    plan.warmUpSeconds = warm_up ?? plan.warmUpSeconds
    plan.sampleSeconds = sample ?? plan.sampleSeconds
    plan.requestLimit = count
    plan.extraHeaders = headers ?? []
    plan.timeoutSeconds = timeout ?? plan.timeoutSeconds
    plan.drainSeconds = drain ?? plan.drainSeconds
    plan.processes = pids ?? []
    return plan
  }

  private func pace() throws(LoadError) -> LoadPlan.Pace {
    if arrivals == nil || arrivals == "closed" {
      guard phases == nil else {
        throw LoadError(.badPlan, "A closed loop has no phases; say arrivals: uniform or poisson.")
      }
      return .closed
    }
    guard let process = ArrivalProcess(rawValue: arrivals ?? "") else {
      throw LoadError(.badPlan, "Arrivals are closed, uniform or poisson.")
    }
    let parts = (phases ?? []).map { RateProfile.Phase(seconds: $0.seconds, from: $0.rate, to: $0.to ?? $0.rate) }
    guard let profile = RateProfile(parts) else {
      throw LoadError(
        .badPlan, "Open arrivals need 1 to 1000 phases of up to 86400 s, with rates of 0 to 1000000/s, not all 0.")
    }
    return .scheduled(profile, process)
  }

  private static func requestClass(_ file: Class) -> RequestClass {
    var made = RequestClass()
    made.name = file.name
    made.weight = file.weight ?? 1
    made.isStream = file.stream ?? false
    made.path = file.path
    made.tenants = Set(file.tenants ?? [])
    made.abort = file.abort.map {
      .init(share: $0.share, afterEvents: $0.after_events, afterMilliseconds: $0.after_ms)
    }
    made.body.model = file.model ?? made.body.model
    made.body.promptBytes = file.prompt_bytes ?? made.body.promptBytes
    made.body.promptPrefix = file.prompt_prefix ?? ""
    made.body.findingsPerKiB = file.findings_per_kib
    made.body.tools = file.tools ?? 0
    made.body.template = file.template ?? RequestBody.defaultTemplate
    return made
  }
}
