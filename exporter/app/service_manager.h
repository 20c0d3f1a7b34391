// What a service manager such as systemd wants to hear from the service that it started.
#pragma once

namespace shortcircuit {

// Tells whoever started this process by sd_notify(3)'s protocol (NOTIFY_SOCKET) that it serves;
// nothing where nobody asked. When the message cannot be sent, the log says why.
void say_ready_to_service_manager();

}  // namespace shortcircuit
