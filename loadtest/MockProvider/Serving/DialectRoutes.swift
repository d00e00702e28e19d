import NIOCore

/// Every dialect but plain chat: read as the real provider reads, answered by the script of the model's name.
extension ConnectionHandler {
  /// - Parameter script: What the caller has read already; nil to take it from the model's name.
  func dialect(
    _ context: ChannelHandlerContext, _ arrival: Arrival, _ operation: Operation, _ vendor: Vendor, script: Script?
  ) {
    do {
      try Credentials.check(arrival, vendor)
      if vendor == .bedrock { try signature?.check(arrival, service: "bedrock") }
      let turn = try DialectTurn.read(arrival, operation, vendor, script: script) { model, limit in
        journal.fails(model: model, limit: limit)
      }
      after(turn.script.waitMilliseconds, context) { self.answer(context, turn) }
    } catch {
      refuse(context, error, vendor, number: arrival.number, keepsAlive: arrival.head.keepsAlive)
    }
  }
}
