/// A character of a policy file; line and column count from 1, the column in Unicode scalars.
public struct Place: Hashable, Sendable, Comparable, CustomStringConvertible {
  public let file: String
  public let line: Int
  public let column: Int

  public init(file: String, line: Int, column: Int) {
    self.file = file
    self.line = line
    self.column = column
  }

  public var description: String { "\(file):\(line):\(column)" }

  public static func < (left: Place, right: Place) -> Bool {
    (left.file, left.line, left.column) < (right.file, right.line, right.column)
  }
}

/// A value with the place it was written at.
struct Located<Value> {
  let value: Value
  let place: Place
}

extension Located: Sendable where Value: Sendable {}
