public import Tenancy

public enum FileKind {}
public enum BatchKind {}

/// An uploaded file.
public typealias FileID = Identifier<FileKind>
/// A batch that works on one.
public typealias BatchID = Identifier<BatchKind>

/// What clients call a file: `file-` and the id of an upload, or the id of a batch with the part of it that the file holds.
///
/// It says nothing of the provider's names, and is worth something to the project alone that the file belongs to.
public enum FileName: Hashable, Sendable, CustomStringConvertible {
  case input(FileID)
  case output(BatchID)
  case errors(BatchID)

  private static let prefix = "file-"
  private static let outputSuffix = "-output"
  private static let errorsSuffix = "-errors"

  /// Exactly as ``description`` has it; anything else is nil.
  public init?(_ text: Substring) {
    guard text.utf8.count <= 64, text.hasPrefix(Self.prefix) else { return nil }
    let rest = text.dropFirst(Self.prefix.count)
    if let id = FileID(rest) {
      self = .input(id)
    } else if rest.hasSuffix(Self.outputSuffix), let id = BatchID(rest.dropLast(Self.outputSuffix.count)) {
      self = .output(id)
    } else if rest.hasSuffix(Self.errorsSuffix), let id = BatchID(rest.dropLast(Self.errorsSuffix.count)) {
      self = .errors(id)
    } else {
      return nil
    }
  }

  public var description: String {
    switch self {
    case .input(let id): "\(Self.prefix)\(id)"
    case .output(let id): "\(Self.prefix)\(id)\(Self.outputSuffix)"
    case .errors(let id): "\(Self.prefix)\(id)\(Self.errorsSuffix)"
    }
  }
}

/// What clients call a batch: `batch_` and its id.
public struct BatchName: Hashable, Sendable, CustomStringConvertible {
  private static let prefix = "batch_"

  public let id: BatchID

  public init(_ id: BatchID) { self.id = id }

  /// Exactly as ``description`` has it; anything else is nil.
  public init?(_ text: Substring) {
    guard text.hasPrefix(Self.prefix), let id = BatchID(text.dropFirst(Self.prefix.count)) else { return nil }
    self.id = id
  }

  public var description: String { "\(Self.prefix)\(id)" }
}
