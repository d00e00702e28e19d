/// What is asked of the mock's files and batches.
enum BatchOperation: Equatable {
  case upload, listFiles, file(String), delete(String), content(String)
  case create, listBatches, batch(String), cancel(String)

  /// What is asked for at a path without `/v1`, and by which methods it can be.
  static func read(_ path: Substring, _ method: RequestHead.Method) -> (operation: BatchOperation?, isPath: Bool) {
    let parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.allSatisfy({ !$0.isEmpty }) else { return (nil, false) }
    switch (parts.first, parts.count) {
    case ("files", 1): return (method == .post ? .upload : method == .get ? .listFiles : nil, true)
    case ("files", 2): return (method == .get ? .file(parts[1]) : method == .delete ? .delete(parts[1]) : nil, true)
    case ("files", 3) where parts[2] == "content": return (method == .get ? .content(parts[1]) : nil, true)
    case ("batches", 1): return (method == .post ? .create : method == .get ? .listBatches : nil, true)
    case ("batches", 2): return (method == .get ? .batch(parts[1]) : nil, true)
    case ("batches", 3) where parts[2] == "cancel": return (method == .post ? .cancel(parts[1]) : nil, true)
    default: return (nil, false)
    }
  }
}
