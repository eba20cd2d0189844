// Package ui is the full-screen program.
//
// There is one tea.Model, app, in app.go. Everything else is a plain struct:
//
//   - A view (accounts.go, inspector.go, …) implements screen. It holds a *frame, which is
//     what all views share: the clock, the size, the styles, the accounts and the manager.
//   - A dialog (confirm.go, palette.go, …) implements dialog and lies on top of a view.
//
// What can be pressed is declared once, as bindings (keys.go). The help line, the ? overlay,
// the palette and the mouse all lead to the same actions, which a view carries out in do.
//
// Nothing waits in Update or View. Slow work is a job: start (job.go) runs it in a command,
// shows that it runs, lets esc cancel it, and hands its answer to a function that runs inside
// Update, unless the job was dropped meanwhile. So a view that is left drops its jobs, and no
// late answer can reach it.
//
// View is a pure function of the model: the time it shows is frame.now, which only ticks
// move.
package ui
