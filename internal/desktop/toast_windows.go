package desktop

import (
	"context"
	"fmt"
	"os"
	"os/exec"
)

// toastScript shows a toast in the name of Windows PowerShell, which every Windows has registered: wakey itself is
// not, for that takes an installer. The texts come from the environment, so what is in them is no part of the script.
const toastScript = `$ErrorActionPreference = 'Stop'
$manager = [Windows.UI.Notifications.ToastNotificationManager, Windows.UI.Notifications, ContentType = WindowsRuntime]
$toast = $manager::GetTemplateContent([Windows.UI.Notifications.ToastTemplateType]::ToastText02)
$texts = $toast.GetElementsByTagName('text')
[void]$texts.Item(0).AppendChild($toast.CreateTextNode($env:WAKEY_HEADING))
[void]$texts.Item(1).AppendChild($toast.CreateTextNode($env:WAKEY_TEXT))
$name = '{1AC14E77-02E7-4E5D-B744-2EB1AE5198B7}\WindowsPowerShell\v1.0\powershell.exe'
$manager::CreateToastNotifier($name).Show([Windows.UI.Notifications.ToastNotification]::new($toast))`

func show(ctx context.Context, n Notification) error {
	cmd := exec.CommandContext(ctx, "powershell.exe", "-NoProfile", "-NonInteractive", "-Command", toastScript)
	cmd.Env = append(os.Environ(), "WAKEY_HEADING="+n.Heading, "WAKEY_TEXT="+n.Text)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w: powershell: %w", ErrNone, err)
	}
	return nil
}
