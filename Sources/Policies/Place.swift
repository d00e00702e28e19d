/// A character of a policy file; line and column count from 1, the column in Unicode scalars.
package struct Place: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let file: String
  package let line: Int
  package let column: Int

  package init(file: String, line: Int, column: Int) {
    self.file = file
    self.line = line
    self.column = column
  }

  package var description: String { "\(file):\(line):\(column)" }

  package static func < (left: Place, right: Place) -> Bool {
    (left.file, left.line, left.column) < (right.file, right.line, right.column)
  }
}

/// A value with the place it was written at.
struct Located<Value> {
  let value: Value
  let place: Place
}

extension Located: Sendable where Value: Sendable {}
