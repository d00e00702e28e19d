public import Tenancy

public enum NodeKind {}
public enum SegmentKind {}

/// One process's data folder: a node of the installation.
public typealias NodeID = Identifier<NodeKind>
/// One segment of the sealed log.
public typealias SegmentID = Identifier<SegmentKind>

/// The name of a segment inside its stream: process epoch and number; numbers only grow within a stream.
public struct SegmentName: Hashable, Sendable, Comparable, CustomStringConvertible {
  public let epoch: UInt32
  public let number: UInt32

  public init(epoch: UInt32, number: UInt32) {
    self.epoch = epoch
    self.number = number
  }

  /// Reads `<epoch>-<number>`, decimal.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, let epoch = UInt32(parts[0]), let number = UInt32(parts[1]) else { return nil }
    self.init(epoch: epoch, number: number)
    guard description == String(text) else { return nil }
  }

  public var description: String { "\(epoch)-\(number)" }

  public static func < (left: SegmentName, right: SegmentName) -> Bool {
    (left.number, left.epoch) < (right.number, right.epoch)
  }
}

/// One stream of segments: a tenant's records of one node under one content mode.
public struct StreamName: Hashable, Sendable, Comparable, CustomStringConvertible {
  public let tenant: TenantID
  public let node: NodeID
  public let mode: ContentMode

  public init(tenant: TenantID, node: NodeID, mode: ContentMode) {
    self.tenant = tenant
    self.node = node
    self.mode = mode
  }

  /// Reads `<tenant hex>/<node hex>-<mode>`.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let tenant = TenantID(parts[0]) else { return nil }
    let stream = parts[1].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    guard stream.count == 2, let node = NodeID(stream[0]), let mode = ContentMode(rawValue: String(stream[1])) else {
      return nil
    }
    self.init(tenant: tenant, node: node, mode: mode)
  }

  /// The folder of the stream below the log's folder.
  public var description: String { "\(tenant)/\(node)-\(mode.rawValue)" }

  public static func < (left: StreamName, right: StreamName) -> Bool { left.description < right.description }
}
