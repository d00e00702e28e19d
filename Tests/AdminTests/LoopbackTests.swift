import ArgumentParser
import Dispatch
import Foundation
import Logging
import Synchronization
import Testing

@testable import Admin
@testable import torhausctl

/// The command line against the real listener, over a loopback socket.
struct LoopbackTests {
  /// What a command printed, and its exit code.
  struct Outcome: Sendable {
    var data = ""
    var talk = ""
    var exit: Int32 = 0
  }

  /// Runs the body with a server that is stopped afterwards, whatever happens.
  private func withServer(_ world: World, _ body: (String) async throws -> Void) async throws {
    let server = AdminServer(
      configuration: try AdminConfiguration(port: 0), services: world.services,
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.run() }
      let port = try #require(await server.boundPort())
      do {
        try await body("http://127.0.0.1:\(port)")
      } catch {
        await server.stop()
        throw error
      }
      await server.stop()
      try await group.waitForAll()
    }
    #expect(await server.boundPort() == nil)
  }

  /// Runs one command line on a thread of its own: libcurl blocks.
  private func run(_ arguments: [String], at origin: String, as person: Person) async -> Outcome {
    let token = person.token
    return await withCheckedContinuation { continuation in
      DispatchQueue.global().async {
        let outcome = Mutex(Outcome())
        let console = Console(
          writeData: { text in outcome.withLock { $0.data += text } },
          writeTalk: { text in outcome.withLock { $0.talk += text } },
          readInput: { token }, environment: ["TORHAUS_SERVER": origin], dataIsTerminal: false, talkIsTerminal: false,
          inputIsTerminal: false, columns: nil)
        do {
          let command = try Torhausctl.parseAsRoot(arguments + ["--token-file", "-"])
          guard let command = command as? any TorhausctlCommand else { throw ExitCode(99) }
          try command.run(
            in: Session(console: console, output: command.output) { CurlTransport(server: $0, token: $1) })
        } catch let code as ExitCode {
          outcome.withLock { $0.exit = code.rawValue }
        } catch {
          outcome.withLock { $0.exit = Torhausctl.exitCode(for: error).rawValue }
        }
        continuation.resume(returning: outcome.withLock { $0 })
      }
    }
  }

  @Test func commandsWorkOverTheWire() async throws {
    let world = try World()
    try await withServer(world) { origin in
      let created = await run(["tenant", "create", "c", "-o", "name"], at: origin, as: .operatorPerson)
      #expect(created.data == "c\n")
      #expect(created.exit == 0)

      let key = await run(
        ["key", "create", "--tenant", "a", "--project", "buchhaltung", "--name", "k"], at: origin, as: .adminOfA)
      #expect(key.data == World.freshSecret + "\n")
      #expect(key.talk.contains("shown once"))

      let quota = await run(
        ["quota", "set", "--tenant", "a", "--tokens-per-day", "2000000", "--money-per-month", "400.5", "-o", "json"],
        at: origin, as: .adminOfA)
      #expect(quota.data.contains(#""limit": "400.5""#) && quota.data.contains(#""limit": 2000000"#), "\(quota)")

      let usage = await run(["usage", "--tenant", "a", "-o", "csv"], at: origin, as: .adminOfA)
      #expect(usage.data.hasPrefix("project,key_name,alias,requests,input_tokens,output_tokens,cost,currency\r\n"))

      let verify = await run(["log", "verify", "--tenant", "a", "--json"], at: origin, as: .auditor)
      #expect(verify.exit == 3)
      #expect(verify.data.contains(#""outcome": "modified""#))

      let content = await run(
        ["log", "show", World.requestOfA, "--tenant", "a", "--reason", "complaint 4711"], at: origin,
        as: .privacyOfficer)
      #expect(content.data.contains(World.canary))

      let unbound = await run(
        ["role", "unbind", "\(World.bindingOfA)", "--tenant", "a"], at: origin, as: .adminOfA)
      #expect(unbound.exit == 0)
    }
  }

  @Test func refusalsHaveTheirExitCodes() async throws {
    let world = try World()
    try await withServer(world) { origin in
      let reason = ["log", "show", World.requestOfA, "--tenant", "a", "--reason", "complaint 4711"]
      #expect(await run(reason, at: origin, as: .operatorPerson).exit == 5)
      #expect(await run(["tenant", "show", "a"], at: origin, as: .adminOfB).exit == 6)
      #expect(await run(["tenant", "create", "a"], at: origin, as: .operatorPerson).exit == 7)
      let forbidden = await run(["tenant", "create", "x", "-o", "json"], at: origin, as: .adminOfA)
      #expect(forbidden.exit == 5)
      #expect(forbidden.talk.contains(#""code":"forbidden""#) && forbidden.talk.contains(#""request_id":"req_test""#))
      #expect(forbidden.data.isEmpty)
      #expect(await run(["log", "verify", "--tenant", "a"], at: origin, as: .adminOfB).exit == 1)
    }
  }

  @Test func allPagesOfALogAreFetched() async throws {
    let world = try World(logEntries: 2500)
    try await withServer(world) { origin in
      let all = await run(["log", "list", "--tenant", "a", "--all", "-o", "name"], at: origin, as: .auditor)
      #expect(all.data.split(separator: "\n").count == 2500)
      #expect(all.data.hasPrefix("req_a1\nreq_a2\n") && all.data.hasSuffix("req_a2500\n"))
      let some = await run(["log", "list", "--tenant", "a", "--limit", "1500", "-o", "name"], at: origin, as: .auditor)
      #expect(some.data.split(separator: "\n").count == 1500)
    }
  }

  @Test func doctorTellsWhatIsWrong() async throws {
    let world = try World(isReady: false)
    try await withServer(world) { origin in
      let outcome = await run(["doctor"], at: origin, as: .operatorPerson)
      #expect(outcome.exit == 1)
      #expect(outcome.data.contains("log     failed  disk"), "\(outcome.data)")
      #expect(outcome.data.contains("token   ok      Olga, 1 role binding"), "\(outcome.data)")
      let short = await run(["doctor"], at: origin, as: .auditor)
      #expect(short.exit == 1)
      #expect(short.data.contains("ready   failed  "), "\(short.data)")
      #expect(!short.data.contains("disk"))
      #expect(short.data.contains("token   ok      Axel, 1 role binding"), "\(short.data)")
    }
  }

  @Test func aServerThatIsNotThereIsUnreachable() async throws {
    let outcome = await run(["tenant", "list"], at: "http://127.0.0.1:1", as: .auditor)
    #expect(outcome.exit == 69)
    #expect(outcome.talk.hasPrefix("error: the server does not answer"))
    let doctor = await run(["doctor"], at: "http://127.0.0.1:1", as: .auditor)
    #expect(doctor.exit == 69)
    #expect(doctor.data.contains("server  failed  "), "\(doctor.data)")
  }

  @Test func aServerStoppedBeforeItBeganNeverListens() async throws {
    let server = AdminServer(
      configuration: try AdminConfiguration(port: 0), services: try World().services,
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    await server.stop()
    try await server.run()
    #expect(await server.boundPort() == nil)
  }
}
