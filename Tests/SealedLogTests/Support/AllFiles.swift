import Foundation
import Testing

/// Every file below a folder.
func allFiles(below folder: String) throws -> [String] {
  let names = try #require(FileManager.default.enumerator(atPath: folder)).compactMap { $0 as? String }
  return names.map { "\(folder)/\($0)" }.filter { path in
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
  }
}

extension [UInt8] {
  func contains(_ needle: [UInt8]) -> Bool {
    guard let first = needle.first, count >= needle.count else { return false }
    return (0...count - needle.count).contains { self[$0] == first && Array(self[$0..<$0 + needle.count]) == needle }
  }
}
