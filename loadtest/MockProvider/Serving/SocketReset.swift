import Glibc
import NIOCore

/// Makes the next close of a socket a TCP reset.
enum SocketReset {
  static func prepare(_ channel: any Channel) {
    guard let options = channel as? any SocketOptionProvider else { return }
    options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in }
  }
}
