"""A network that cannot be traced."""

from torch import nn


class Forked(nn.Module):
    """Which way it goes depends on a value, so that it cannot be traced."""

    def __init__(self):
        super().__init__()
        self.conv, self.relu, self.pool = (
            nn.Conv2d(3, 4, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
        )
        self.again, self.fc = nn.Conv2d(4, 4, 3, padding=1), nn.Linear(4, 5)

    def forward(self, x):
        x = self.pool(self.relu(self.conv(x)))
        if x.sum() > -1:
            x = self.relu(self.again(x))
        return self.fc(x.mean((2, 3)))
