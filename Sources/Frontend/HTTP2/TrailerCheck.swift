import Gateway

/// The trailer fields of an HTTP/2 request: checked like those of HTTP/1.1, counted and dropped.
struct TrailerCheck {
  private let limits: Limits
  private var count = 0
  private var size = 0
  /// What is wrong with them.
  private(set) var fault: HTTPFault?

  init(limits: Limits) { self.limits = limits }

  /// - Returns: False if this has become so large that the connection had better end.
  mutating func add(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool {
    count &+= 1
    size &+= name.count &+ value.count &+ 4
    if count > limits.fieldCount {
      fault = .tooManyFields
    } else if size > limits.fieldBytes {
      fault = .headTooLarge
    } else if fault == nil {
      fault = TrailerField.fault(Array(name) + [0x3A] + Array(value))
    }
    return size <= 4 * limits.headBytes
  }
}
