public import Batches

/// What is asked of files and batches: a row of OpenAI's API that has no body of one request.
public enum BatchCall: Equatable, Sendable {
  case upload, listFiles
  case file(FileName)
  case content(FileName)
  case delete(FileName)
  case create, listBatches
  case batch(BatchName)
  case cancel(BatchName)

  /// As META says it.
  var name: String {
    switch self {
    case .upload: "files.create"
    case .listFiles: "files.list"
    case .file: "files.retrieve"
    case .content: "files.content"
    case .delete: "files.delete"
    case .create: "batches.create"
    case .listBatches: "batches.list"
    case .batch: "batches.retrieve"
    case .cancel: "batches.cancel"
    }
  }

  var isContent: Bool { if case .content = self { true } else { false } }

  /// Exact paths, with and without `/v1`; ids in their one form. Nil: another part of the API.
  static func find(_ method: Route.Method, _ path: UnsafeRawBufferPointer) -> Route.Lookup? {
    guard path.count >= 6, path.count <= 128 else { return nil }
    var text = String(decoding: path, as: UTF8.self)[...]
    if text.hasPrefix("/v1/") { text = text.dropFirst(3) }
    guard text.hasPrefix("/files") || text.hasPrefix("/batches") else { return nil }
    let parts = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    switch (parts.first, parts.count) {
    case ("files", 1): return lookup(method, [(.get, .listFiles), (.post, .upload)], allow: "GET, POST")
    case ("batches", 1): return lookup(method, [(.get, .listBatches), (.post, .create)], allow: "GET, POST")
    case ("files", 2):
      return FileName(parts[1]).map {
        lookup(method, [(.get, .file($0)), (.delete, .delete($0))], allow: "GET, DELETE")
      }
    case ("files", 3) where parts[2] == "content":
      return FileName(parts[1]).map { lookup(method, [(.get, .content($0))], allow: "GET") }
    case ("batches", 2): return BatchName(parts[1]).map { lookup(method, [(.get, .batch($0))], allow: "GET") }
    case ("batches", 3) where parts[2] == "cancel":
      return BatchName(parts[1]).map { lookup(method, [(.post, .cancel($0))], allow: "POST") }
    default: return nil
    }
  }

  private static func lookup(
    _ method: Route.Method, _ calls: [(Route.Method, BatchCall)], allow: StaticString
  ) -> Route.Lookup {
    calls.first { $0.0 == method }.map { .found(.batches($0.1)) } ?? .wrongMethod(allow: allow)
  }
}
