import { gunzipSync } from 'node:zlib';

/**
 * Files as torch 1.13 writes them, gzipped, and the tensors of the first four as torch itself has them.
 * Made by torch.save of tensors with odd strides, of shared ones, and of things that are no state dict.
 */
const SAMPLES = {
  zip:
    'H4sIAAAAAAACA6VXa2wbVRa+fsZxUidNQksftCEUmvSR+pE4TpvEiVvcloGSTmDXZIHEsadximP72NdpyrJLeCRNd3mWR8u7pUBRYVF/wa5E60D/AAKk' +
    '3R8rQPwo0kq8hPixP1YrrcSeO9eZzh3TGNJRTiYZz/c459w5d9wvWayEOByk5KgldSSajSXGJpQt8SiNtmbuSoZDLjIoHFPmWCydTCoxOpZO5Zw3Z+NK' +
    'VonvGItRJ5AWGUzNkWokU8ZHlHjrAWVsNEHBHKNpJG4dytOxZM45lFVG8mPJ+FAmmo2OK1TJOsFyiVuoksqls0MTXidYm5sjFUidwzujowrYOMQZTqaj' +
    'dIBfdII9YsJ73FARseA5lsmDQ6qhULlXIpJNssyAU7JIphmoOpxgdqspLJHBNav+U3MIamVYGnEhMjk+lFCiWgp1iaURJ16m2Wgql0nnlDjUJ9BRwpbg' +
    'ih5oSDikKylcwZTsknUGlkkmyT4Dy7kSfrRChpURO7OVTubHU7BqniFRxK7eixCrZJ6Bq5ACT2s4di2FRhmuVlPKpg9AkxF4zV6pWrJPwzrJNA3XctB1' +
    'FNbL0BxhrVYmM9FUHE23CKa9sAHxFgobmWkzK88m/APLs5lztFLYIoNb5cgo2fE8RQ4P5yiWfyCRzl4sv1fl9YEPebsotBXLLlkPQTvm1iDZDoGfc3dQ' +
    'CMjQGcHlSEb2efywVeANqX31+DXqbSp1G3QhdSWFbkZtYZZ7eEeDnLaXQp8MIbXOjBZT2F5MeluiiN2hYa9HU3gKc+xOCrtk2K3WmTm6QXC0K5rcp7mR' +
    'VDftcCMyWincxAuILduDJ3RzM2fsp7BXBpkz+ttgQGDckc6PJBWN8xaV0w+3Iqedwm+4S+T8LXcZ4Zy3URiU4Xcq5xhy3i5w3phOjWqMd6iMHXAndzmk' +
    'uRxGRjxFOeMIhZgMcc7o84IiMO5OXezvPpUwAKN83SRUi9Mwxtbdfk52F4WkDOMRMyMLQErg2p6IZjWytErWCRkkM1MA1d00ZBlZjpNRCnkZJlSyfAAO' +
    'iEvkIL1YvEn1Ho8bDvIe3631+Pe8evdwxj9Q+KMM9/Jll04nYUrkxEsa532c0wP38/o9oNXvQd7lac45Q+GQDLPqeIqlxzNJZRIOi3nzq+Ks+hOn98Kf' +
    'Of1DGv3DvD2PcPpHKTwmw+Pqks7FosloFo5oz7FK4YMnkMJE4UmkaGnhsKcoPC3D0YhNnccZehCOiag2eAZRhMKzTJiwmfUcjh/M63nO8AKFF2V4KVKL' +
    'd49mz799/iWlsQnyaZwCTXBcJGuHE9zCy4wMO3iS/XqFE71K4TUZTuVb+6UKx9ybH1cFMRcW/ZfcjlzEJmxHW9zhkIkMDu9pCe48Pdsjnbin+5RrbTAw' +
    '/PW5qjUbzjV8936hPnm+563ZBwpb19UW1o/HC2ePps6e9u06973vQOEf4c96mPjnn37+3y6kZ7GQuEMU94RDVnUn5J9PBfFXL/5gTGEcx5jDuIBB+nAv' +
    'xWjEcGP0YvRjDGNkMKYwZjEewziGcRzjdYwzGH/tYx7v7/syNYxEwwt6rCHXGDxihdYatuuSg5jMFqvNXuFgQubtX71biVSVZYS2GoSwGv5yQpc4TMRk' +
    'YtJv/e1f/2GPoLWMdNAg7Q2Hti1Smucv9m6O68z3j3mpcCxf9u0/G/Hvxl9Zf98vqT/5ppdpJL4OvifmT35R/m2Xmf9C+dQbtNrDoRryM/Vj/vfvP/Fm' +
    '+f65sNACJ7av63Lso/4c9m/uXvYQMh87N7vz7IWzuoyPgOgDW9VGFqdvImZiwbxtxE4qsGmVxEmqUH8JqtTgW/RSfI+uJw3kCrKMLCdXkhVkJVlFVpOr' +
    'yBqyFtfU1aQJV846ci25jqwnzaSFbCAbySaymbSSLcRNPMRLfKSNtBM/6UDfnfj4bVPXZfcR56lJzGayTK7VYq64ZBxarod7PjtnKXxY+N/Zfb3fFT4J' +
    'niww5pXrrn+4DrF1ZZi9IjMukNZfWcX29jfeebC7Rp1zH1WclBzFhb+Qapeo6g+HAoteQ1+k1o8e3f1F0NFoW/XeCz8Wki0NF350/VAoSLeF9wx+FbT8' +
    '5e6NpzvfDb4xMH08V2eeU31uCpvc7FtFGZ8Nos+OcKiWlK4fwpYQ+al4WIpoa/HM9Ha/WjtRfv64cA0JeoFwqJGUn7+EsP3aUtR6ounCmUU8P52LfX5+' +
    'MjPVE4/8u8tcdLLQROrTVCeUbA6/cYZD3Zc1PgZ9Tqb/9xdHb72ob2InzYH+9aS2xJPxG7IRrX+/cAnIR+3E8EJjxOr3fRFbXWHAeoxY/VZeI2DPlGBL' +
    'hPWbsQhe4TCCS5T1u6UIfrIE7DWC9dugCHZXGsG+efDP75SCcgm4zais38BEMM5z40ZoBOt3HbFTtxjBJSnrp7iI/dKI9Rmx+jktYj+oMmBLEtZPWxHb' +
    'VG3AluSrn4Ai9pgR6zdi9dNMxPYuMWA7jFj9dBKxZ4zYgBGrnzEidrXLgO00YvXzQVwcR3TY4kzql+z2TcWP11g2a7fWGc59xRlfVzM/6u3sCyMZqCfz' +
    'uwJes9k5pk69n9/7f3ZyrtW1EwAA',
  legacy:
    'H4sIAAAAAAACA3WVWXQTZRTHb9a26QoUKHspS1uWkqVNU5a2LBZwoNCpS0AxTZNpE5xkcidfKCBIFVoKbriCClJEBcvR45P6IE2VJx988YnDEz6peDw8' +
    'ew7n4J18w6QZDnNyZzLfzPf73+/e+90Ztp51yQ8udv1Xe/D63nlNw9bdf9vofByhIVgFAClVYUpEkUOHJDUdV5JooReC5fREjjMmSyEpGY2Hk2gdC7po' +
    'kB1JSaF0/KiURttxtDcEHTSYjikqQ4dgDdroLp5k6BTsQbvGUJKDWCTYMxnSjJCMLEUYqaRde9SopErRbfEIcyE0imhpCJbRDCnRL0WbhqT4YIyhNcIU' +
    'NRJrCmVYXE67QqrUn4nL0VAqrIYTEpNUF9qe8AqTkmlFDR3yusjLhmCR5ia9GR6U0MGnuLpkJcx6+aALncESesfnb3V7vQGPH4tyi4mkMlgsVHYzLOkR' +
    'QHAItlF0CTbBMoqlZ2Ka32UMy0WsGMvdVJ7GKhFnBCu0tSdCMSlsrGVmbAaPoBpOplNKWorirBi5FnPEdGlvm6e1xd8cwOpYsVBDkrM1SQrlKM4RLIJz' +
    'FOdyyRqG80ScH3RqDipyJpHEBU9ALdRRi3qIYBeso7iYiHRZwlG1DJeKWJdbq6oM4bIncJbrnBU9QpngHMGVgmUE6zmjgSGdVwWLtfQdToWTUVrb6kKQ' +
    'uzngdbf6/LiGQDYCrdXWZtXC2UR/KJzrOMzN0COiNwdLSWoiwwjm4zA9b71auRl5a+YCrZ4AORtoxhYS2EgCfj1fgv00ttLiqwXHaQxwkTaG60XckCvR' +
    '/gFK9sYCgS25yvD4DY1Nhoavxed3YztplJBGh6Zh0xbRyWtiM+dvYbhVxG25BGn8JoZP6fEwo7p01HYDtYOcpctOjnqaoSDirlyCNE93F3i6IywPGF52' +
    '59F+rzuAewhtJ/ReHmpKeg9dyEuRo3sZPiPisxztb8bnCtDblEy/LBnw5/Nwj8frxiDBnQTfx/0m+H7u9wsc/iLDAyK+xDsCwUMF8F3UFwx0Xx7d2kLo' +
    'sO53v+F3hNB0iXK0xHBAxEGO9nkxVoDemczXRjxPDrS6m/GgXnwv55weQVmr4gSnUtdSREwFrRo1gFgA3RoLqwZVzVPbtBSmiWolKsv5O4IZjXqIU4cY' +
    'HhbxSI6aCeDRwjo7wvIBfmUatY2icEwvjONGYbzKA3yCk4cZvibi67yGFUXGk4VsGjLYpwx2s8dPRTSiR3jUiPBpXhljnH2G4VkR38h1zYiSSMnSYXyz' +
    'MCB8tLCFvpWXofpz49u6zDuGzDmeyHe5zHsM3xfxg9w2SUfCcljFDwvbhoai3uHGjwhlIdR5QjU28ukXGH4s4ie5T5CUSLEj+Onjsz1t/gBepNlAsy9p' +
    'joDWUD+jZkjrvcxJ4wyviPh57oM4qN76/tZlqbYOMwr1njq8+hi0xeel1X2hu/SlBqWMf6WdrnHgdYZfizihffUOaF/awh5oMTVXq+nTYzO1NLtp7zlM' +
    'PcRp2vhFpg1VbNoGJaYCdplKr9RULmWmcJab8lxhSlalKVJVUpO2V/kx1UF2gv4M18D0Y5jGoZN+ZMNk42RTZHfJYDNAFVktmZusk2wvWR9ZimyYbIzs' +
    'HNkFsnGy62Tfkf24uVJX6Otu7Ng+MdYuXDm26VrFko5A35+TpYtXTVbf+yU7S77V/u3Yyez65VXZ+kQ0e/N88uaEb8fkP76h7O9dt9s3Gn5awAo2sIMD' +
    'nFAExVACLiiFMiiHCqiEKpgBM2EWVMNsmANzoQbmwXxYAAthESyGJVALS6EOlsFyWAEroR4aoBFWwWpYA2uhCdaBGzzgBR80Qwv4oRUC0AbrYQM4dfU7' +
    'yfrB8zvvdBTXOhb8fOl+Vm6svnu/4t9sVtjX1b3/jw7bN0dXT7T91HGjd2Q8PdM6VaLPO9N+e9KW/TX74OZA573sbx1Xs3b9SUvLjR9ObarcbJ+eDAvA' +
    'Q/14lLlHz235V8Cq31v1sYfWEoNgtdkdzqJiu/G6xQImlCnpU3zsUeK5BD/+6rRMm/M/uJCYptQKAAA=',
  wrapped:
    'H4sIAAAAAAACA61Ya3AT1xW+eliSZWM7tgMECDgOCTYPY0m2bINt2YII6KbEXppUcR+2LC2WiKzVWV0ZQ0PiJrExzYuStpC2SaA0JYWEuM+004Cc8qft' +
    'TDvTTttJMvlBpp1Jm04nP/qj05nOpOfulcXeVbAS0x0frbTa73HPPXvulQckm50Ql4sUHTWklkS0aDwxoWyNRWikJf1AMhSsIkPCMWU9AqQp7EZAhkao' +
    'MhxLRClYolE1mVSiNKGmMu57tJiiKbGd+I0brM0y2JrClQhQxkeVWMtBJTEWp2CPUhXVWoazNJHMuIc1ZTSbSMaG0xEtMq5QRXND2XVuoUoqo2rDE143' +
    'OJqawk7di6pFxhRwcog7lFQjdB+/6AZX2IL3tEJ52IbnaDoLbqmaQsWgRKQyyTYDlZJNsszAsmNxZreKQrUMNbP6h5uOQq0MdeEqRCbHh+NKpDCE+nid' +
    'ngiqRVKZtJpRYnBzHB3FnXGu6IHlcbe0ksIKpuSQ7DOwUrJIjhm4hSutorBahjVhB7OlJrPjKbh1gSGex64dRIhdss7AOqTAUwPH3kahUYbb9SFp6kFY' +
    'bwbeMShVSo5puFOyTMMGDmqigK8bw2z+lcl0JBVD05sE017YjHgbhS3MtJWlpwXfYHq2co5WCh4ZvDpHWtHGsxQ5fJwjn/59cVW7lv42ndcH7cjbTcGf' +
    'T7tkPwodOLZ6qewodHLuLgrbZNgexholo/s9fugWeIP6vHr8BeoenboNepG6nEKAUduY5T4+o/2cNkhhhww79Twz2hYKd+UH3RPPY0MF7C40hafdHLuH' +
    'wqdkkPQ8M0d3C452R5L7C24+rbtph73IaKdwD08gTtkAntDNIGeUKeyT4TOc0d8G9wqMO9XsaFIpcN6nc/rhs8jpoBDmLpHzfu5yiHN+jsLnZfiCzplA' +
    'zi8KnHerqbEC47DO2AEj3GWk4HIUGfEU5YwxCooM+zmjzwtjAuOe1LX5jeuEnZDgdXNAtzgND7C6S3KycQopGdSwlZF1Qlrg2hGPaAUy0Mm6QEMyK4WM' +
    '7m4aKCPLcrIJCgdlmNTJsp1wSCyRQ/Ra8g7r93ha4Ut8jh8szPERnr2HOOPDFKZk+DIvO1VNwiMiJ14qcD7KOT3wGM/fdCF/M3yWj3LOWQrHZPiK3p6i' +
    '6ng6qUzC4+K4+VWxVz3B6b3wJKd/qkD/NJ+e45z+qxROyPCMXtKZaCQZ0eBrhedYp/DB15HCQuEbSNHczGEnKZyS4dlwmd6P0/QQfFNEtcG3EEUofJsJ' +
    'E9aznsP2g+N6njO8QOG0DGfCNXj3mHblp1deUBoaIatiF2iE74hk7XCWW/guI8MZfJG9fI8TnaPwkgzfz3IvaTUah/OSLVyOn9Q0TYwnDisaXDgCL+s3' +
    '6KsNvHIELkpEFPHDq7xW5vK18gMm8kMu8iMKP5bhJ5lMtmVAcrr+Ynut/BeYMhYD110Kq0i5sBRubQ0Fy/hCOLK3ObDr/GyvdObBnnNV6wKdI+9drli7' +
    '8XL9+7/M1SWv9F6cfTS3bX1NbsN4LHfpZOrSed/uy//wHcz9IfRmLzPw1u/e+k83SrBYzIBLNOAJBe26Af79VABf+vAPYwrjNMY8xlUM0o9rOUYDRitG' +
    'H8YAxghGGmMKYxbjOMYpjNMYL2HMYfysn3l8pP+d1AgSjSzqsZrcbvKIWVpn2i4UHcRitdnLHE4XE7LuePd1Nt3lJYS2mYQwG/5SQtc5LMRiYdIXf/7X' +
    'f7On3V5COmCS9oaC25cozccvzt0811mYP+bF6Vqx/O9/bsD3DZ8w/76Pk3/ytz6mEX8v8IY4fvKxxt92g+NfbDx1Jq32ULCafET+mP8DB868vJT58/9f' +
    '5o97OD7o+JMrn7jFnuVu0QOWUCdZuv486s8/zJoA87BrS2uW7a0rS3joFD1gqbSRpelbiJXYMO9lxEGcOPZy4iYVqL8MVarxV8RN+DuijtSTm8lysoKs' +
    'JLeQVWQ1WUNuJWvJOqzp20gjVu56cge5k2wgTaSZbCSbyGayhbSQraSVeIiX+EgbaSd+0oG+u/Dx364/Fz0n3OcmcTSTJcZaKY4VS9ZVGOux3jcv23K/' +
    'zv330v6+93O/DZzNMeZV6+96shaxtSWYvSIzFmjLJ8xie/uF1x7rqdb77G+cZ6Ul1I//Rurn7dSGsZN73g64GspWv/HcB7lkc/3VD6r+mctJ94f2Dr0b' +
    'sL1yeNP5rtcDF/ZNn87UWud1n5tDllb2A6qEz3rRZ0coWEOK64ewEiIf5g9bHm3Pn5nenhdrJkr3vyqsIUGvMxRsIKX7PyFs12DLaz3TeHVuCc9P11Kf' +
    'nw+tTPXMU//qtuadLNa9+guqE4qWwR/XoWDPjXSvoSGfm+n//vmxe6/pW9ip4MC4Raop8mT+D4EZbdzfVAnICicxbarMWOO+Q8Q+YcZ6zFjjVqJawLa6' +
    'zNgiYeNmQAQ/WwQuUjau1iK4vtwM9prBxmVYBM8VgX0L4I9eqQVltxncZlY2LqAieKoI3G4GG1c+EfzHIrDfDDYuWeI0hytM4KJ8GZcAEfuOGeszY41N' +
    'XsT+qtKELcqWsVWL2MZlJmxRsoztU8SeMmOLcmVshSK2r8qE7TBjja1NxM6ZsZ1mrLFBidg11SZslxlrbC5icZwwYPMNbUByODbnv15r21K4tc50fii/' +
    'QNTWLKwTDqdeifVkYUnBa2UOjqnT7+f3/g8G0oag8hQAAA==',
  protocol4:
    'H4sIAAAAAAACA6VXa2xTVRz/33v72tq1s5u8H3OgbDxGH1u3wbZuBQrkGpxMP8iXrVvv1mJftrdjGBMXFRhJNQaugS8qhBgMCNknHwmsQ76oiST6wQDh' +
    'AyQmKMbwwQ/GxAT/p4/1nNO5wrjZv+16z+/x/59z/ue2X5Z0ACYTlF21YIdAciQUHle2BgNqoCXxesTvs8IB5prUfWTX5wEZ80g8ElFG1HA8ltIy5peS' +
    'QSWpBHeGR1TtpNa8X2vKWJTosBJsOaSEx0KqlrGocRRoGUyr4Qgi7INJZTgdjgQHE4FkIKqoShKBIT11Q1ViqXhycNyFN5qaMsYUMgTGFC2jz1EhpT8S' +
    'D6gDha9PahnBoWWkkURak22q9rIMsl6WjmqyJAtHteMhEW2p2n5tKvfpGH7KWCPRwZASmHMZWpapVpOBWCoRTylBLVTV1BSqDtVkBKcWssnL8qQGWYek' +
    'gmygSTMGLEg6GpvDhFYWEYKsk0VEGMgrhZCS8UPzDLfIhiNIf4QealImEoFYkLHkIpakvCUxlyeweWZMCSUZTasllDljGQjFk0zJ3ISma65csu4Yya1e' +
    '1h+jqXTDo05Picbmy5Xe6aGZWglTVZ5Jmq/wGQNhaVGLPDtDu3iEQF7pGjGy5j2ByCgt2UYkdcUakCKLnKQ06mktEdTsjKeHIwpN4SEUhqIHcT4PYZrC' +
    '/GI8NkYTtJd5EPiJDrtdJYLqvTFmAjqoeZTKZl4Md1DaO0KBJI3tJFixoF2OTdNY32GVTlx0OrRK1dcNx+MRmgL/ZSicFetvHIlHExFlosRStyP/Db95' +
    'RaerYiUNqZFAJJAs7QLRmVu/Qg7U3EwN1SvRhHqYHplbn5Cnh9we1nFma8eS17+8/qnS0PhGOo77ppGGt5WESJ3ZWqdb+mWj6dKNRv1q7JAk+v+32Vph' +
    'A9Nstzr8vnVcq533GtrX7N19YapHPvtW93nrWm/H0P0Z85qNM/UPvs3WRa73XJ56N7ttfW12QzSYvXoqdvWCe8/MH+5D2Z/9N3uIvVs3bv3ThQZILGTP' +
    'xNpz+n26nL38/UkvvvTiH8YkxhmMWYy7GNCHZwlGA4YDoxejH2MII4ExiTGF8SHGaYwzGJ9jTGN83Uc8vtN3JzaEREMLerTBOs4j1nBtpRqCIEo6vcFo' +
    'IkLijntXqpCqqoLQNk4Iq+F5nMma5xJAEIj05W9+/Rv1QFdB2stJu/y+7YuUzufPzt1sXqc4f8SL0bR0ye+/NODnhiesv/tx6g+/9RKN0H3vNTZ/eKz8' +
    'W58y/4XyqeO02vw+G8xTP+L/4MGzX1SePysWmuHE6et6GvuoP4vzN/s22YTEx+4tjrQF/7FU8NHB+sCpaoXF6QsggoR568EARpy0KqgGM+rXoIoNnyKf' +
    'wefIOqiHZ2EJLIVlsBxWwEpYBathDazFNfUcNOLKWQ/PwwvYBJugGTbCJtgMW6AFtoIDnOACN7RCG3igHX134vbbnluX3Seqz09gNhMVcrWwueKSMc3l' +
    'erzn5oyU/T7779XR3gfZH73nsoR5xfpd79sRa6/A7GKZcYG0PGEV29oufvVety3X534wnpNNhYW/kGoXq+rx+zoWvYZuxzaMndp722tq0K+89vHDbKS5' +
    '/u5D65/ZrPyaf9+Be17p0pubLnRe8V4cOHImZRdncz43+wUHOnFU8FnP+mz3+2qhfP0AWULwqHBJBbSu8E709n5WO165/1hxDTF6HX5fA1Tuv4DrF0Aq' +
    'aJ1svDu9iP3Tudj980gkqmc/+KtLLDhZqCP1zamOK8kU/s7y+7qfqn0ccFcT/Z8+GXu1pC+QtzkH9ANMbZkn/hcij6afL6wMMqoH7pGHx9LnPou1GDis' +
    'k8fSR7mNwU6XYcuE6cOYBS838uAyZfq0ZMFaGdjFg+ljkAU7TDzYXQTPf1IyymXgVl6ZPsBYMKkhdxDyYPrUYWfqFR5cljLdxVnsHR7r5rF0n2ax31Vz' +
    '2LKE6W7LYhvNHLYsX7oDstjTPNbDY+luxmJ7LRy2ncfS3YnFTvPYDh5L9xgWu6qGw3byWLo/sIvjBIUt9KR+2WDYXLi9RtoyN9TOvfcVerzdWmz1BiN5' +
    'HygMEHLf6Q15jD03Pj/2P/ZOJyS1EgAA',
  module:
    'H4sIAAAAAAACA41UTU8TQRieflDKAi2gVgQEv9BWoVBQURN7aEw1WaOlxmRjYpbt7rS7YdntuzsLJ6NGCnjVuzExJh48+Avk4smbN3+DV+7GmdkC220g' +
    'TrKZzPs+HzvP7GxFjMURSiZR1xhCI0hxVN1Yx3OaQpR8c9Usl1LoWcd4FVWJTVF5y8qv2ZpnYjdvGhZWHOGhPwHKvYbIC4hmJeZCHMWwDKsBsR2pn67l' +
    'puIoa5hgx4W4qtqmiVVi2JYrPHY07GDtnqESAXpyVUhkpQRlbGCjoRPobRvLHjFMV5AdXPMMUzvUEyB5BIRgy7UdeX1BgL5sVuqloi5FKg0Mgk8Ryqat' +
    'kCd+UYB+KUIx8zAgxeisNj0YFBMEUssiEmNidAvSYlSMbMHQW5296DCBkSqc2OGLk9twqgoZicaMaobiwmk9qVNbXdB92QKM6oNijMAZLteCMTHSgnFf' +
    'aoLA2SpM+lJT23CuCuc9HqRc8+p1ltoF3rsojbOiZVtyk1YNl26S7GNkFxO4pMoy2z8xLFkWaEWA6edwuQVXqpCV0lxSUVc3FEeTddtedSHHla9KGdYz' +
    'XLnumWYnBq49klKsW7edAHGGE2elkWCr6eB2O8/bc9Iwa7tEIVjW6Cm3u/O8W5DGWJcegxaEHIoscNiiv+0umO3uy13nuBt+Zu1PFG7y4hL/AmkcdawQ' +
    'z6H1W2JUGqA12yOHxdtizKvlK2JvclN+kPkTRYg9lSNvTgqNddycuflyKRO6N/vj70rf7nuCdlf2fhSXf+a+f/79rViZnL7L3D7ef1kdpXrsOc5tptOt' +
    'UC5lj3DrHsXdtWJjaaqY+fSmyDyLm1+/sgAGjvVMo6UDz3X2tdlWubT436aBsSgw118fGk9ppCjKXSNsOvANZj7U9SbhP1SYHcww1cG8E0OhUwpzg1l0' +
    'cr+EuYUwN7ijdAd3Io7C2VXERGKm3Z6MzR5A46F5rz2/axcoj/27UKvHX0d4rSfhc+Ic72P/ASeupeXnBQAA',
  jit:
    'H4sIAAAAAAACAwvwZmZhYODgYMAAfAwiDIlFyRmZZan6KYklifoGbk4CDFFoILN8s93LJer7J1pvszvd92/fyikc+5WVDWwDvNk5Ztk45kkATQLhADz2' +
    '6KDaY+jmpIFhDy6w5Ni3vX6LrtilrL64D2RnZpufMw/QVB68dgowmKHYqVeQnePmZES0rQjQwJQcH1+SDzQrPl4PTOvl5enl5qeU5qQW6+Vk5qUmFnH5' +
    'QKhCBs3GWo0INqADylMz0zNKChmTIVriS0syc4q54otSk0ozc1LiS1LzivOL4suMuAqZNDQi2IE6ioEqE9NTC5khWrjccvITS4IhglyFLBGMQDUGhawR' +
    'zEA6uaC0kM2brSSwkN2bQcOb2ZupRMObyZuxpCM5OT8nJzW5JDM/r5jLvygltSg1xSUzuYSrkEMzqCSokDMCGGIMSZmJxYVcGUCrM5gzIEYbFnJnsHkz' +
    'A43kARsJNBBoXAZEF28EKIxLihIz8zLz0gv5OiLEgPz4zOL4tNKcnPikxOTs8sSilPiM/PzsQn6/0qRCAT1QZLEfzZtjCTQdhEGRJQKMLMzYMmTQgEdW' +
    'cn5Kqj48wPXBtH5enj40wPUhAa5XUOnmpEJUbJYG7M47bMBz57Noi7p0gemW2Y0lb66UnRJjacoJ3ijQavTF4cJ+fdfdrtP9VN73HT/+xNfrwzsO3xz7' +
    'QzE2ZYcZHV5fdSk+3mOYyetuYc5fcl3V3NZksXHnY9eS5I3fwkMW+rIzz5kQ1NET8ve+lfvjExenbjRkic+NubStYr278V05tXNVnA+P/UlXsKlde0LK' +
    '/daik6pJptXFKX9uBu77cCd9mfPJ/5/0z5zPONgWcfZ2yz2+PdV8hVFbwoREJ+46zT7p0yeBrX+XPn9nVaf783kH37y47yUCZfa/OK5G5U4VKPrNdz3m' +
    'QMcetYNmZbOvdtXvl/566brsPkZQsO8NY2/6AAzY+XiD3ZpBnfRg10sBpuD0eHB2UiYmAmx9TnsddhCZu8TuM6te+kyn2YIxHbEaojm6ySJJB3JUnhhm' +
    'HuubfEZ5ih5L+WfxutWTI6p3FLzb+/zjWzVxhoaj3iLnHn/JFbVftr5wS1Xcso9//r10ZLDfaCTgV5TJGTVlSVOo8vaZOrWuEaaNU7bPnXdwRsHVE4Zz' +
    '7r27PlP9zpMq+deKne9U2rsbAv2MXvIf5HwT3aS78PWv/ycylx2bJ6FqbtZrpSq42DKrfFfeD1GtlZcum2mb3ZylsUQ68kpH8ZebU2Q39+//tOBup7Ju' +
    'n6EGm/sHx9IJ27bcMHj0VDY11Wtn2rZTwur/dvuXtDCyuc3hS1H/U/Qq7iBfmeGLr4JibnMeWu8xuWH4sD9Y/ozbnNkPxEERY6Pqv5ATGCm+jPgKL1EG' +
    'E6SIySsuScwrKYaUYAYMpJdfmuCsmKvPGQ7K+ix4y01+Bnu41WWpRcXAYsTNyZqMYhMOjLlAtl+clx7KBDSfCWw7I4iC249ci/BhuAi1hkLXi1wboOrN' +
    'QNdriK4XuXASQNF7B00vKOwhuhE5CTmPGaLo7mRiID1foRuPnFKsUUOEhYGSbIseCsjpQhTFnpmsDNiTIboRyJHLj2KECBsDenIK8GZj04FKyzHrwpWy' +
    'o9H/GCH0JDYIDdQHlpoAtZQRLMbKBtHDDlYPUQsAhFps6/IIAAA=',
  sparse:
    'H4sIAAAAAAACA42TzY7TMBDHnY+mxS1tKMs3LHBbBHRb9sARVK1yMYKQFVLFJQqp1URETSdxiliBtJcW9c4JIV6AN+DOA3DnLXgBnCYpiatdYckayZnf' +
    '/z+ecUyiqAg1Gmhr6aiLnMj1/DndHzvM6c3eBsawjV5X1on8EdBI4vnvQHJZyIGenTA/iLEd0TeJH4zteOZEMbUZncZhhEHO02Ia+U7gHzvMD6fYnlBm' +
    'B877MGEYlJHOFfO0jHbDENQF1CzQTrHJ9O35Iwz1vb1RnSvEPNOZUGhkCH4WTidH2RmGc+uy+4BHCo/uLIEm0Ri0XhJEZKIs4TxRiLSE9sp1wyCgblpn' +
    'jF9EYxrR8aHv8kI79yzQGVywoOtxU68wMoLQYRuni2unAex4TaIwuJQ6KAu4TKQFXFl5qchVBtcsuJ7jR/4xx25wf17GzQXcsmD3E9xewh0L7sY9k9Qb' +
    'bvL9S8Jl022eOsQ26lSGuN83hs3yCItEKY+yICCep9b3fxyu+mnr0NnWO1XrgTHUhdeT+p88KXaq/fn5h98tTrfO1O6gxxvtOY1iPhhjeLAl/h/rAKeu' +
    'v75NXsn5LU0irS9b+JYbrW9VIv4hIl3uVbtC/pSQMBqRLfeiyj6VBXYgsuUbdSrs1xKb984kmvYg/7yrPNykqkL8k8euUjwGLf3LUE3991hMUtMyRl3n' +
    'Z7l/AcymcXBnBAAA',
  quantized:
    'H4sIAAAAAAACAwvwZmZhYODgYMAAAgxCDIlFyRmZZan6KYkliXoF2TluTnwMUSiggam2kCGCEai+vJAxuSQfqEEvvrQkM6eYK74oNak0MyclvrAkNa84' +
    'v4irkElDI4IdqLQYqC4xPbWQGaKBK9Azr8QiGCLIVcgCNs6gkDWCGUgnF5QWsnlzlhSyB3ozeDN7M7cVcgApxrZCTqjugtSieIgN8YlpaZl5QCO43O13' +
    'zgSBWd4M7YXcncnJ+Tk5qcklmfl5xVz+RSmpRakpLpnJJVyFPJpBhbwlhXxBhfzFegHe7BwbZH7vOQu0F4QDcAYOH4M5SuDoG7g5GaMFDVHgG8sfoT+c' +
    'f/gYQHZPZfu3gxNoOideu/kZrOB2l6UWFQM95eZkRo7lQGDMBbL44rz0UCag0UxgixlBFNxq5AARwHAMegpB143sJT4UnbKMDGhBiK4X2VX8KHpnIumF' +
    'BkGANxubDlRajlkXrpQZjd4OpYWYIDRQHyhJMpyE8hnBYqxsED3MYPUQtQAOv3J8KwMAAA==',
  c128:
    'H4sIAAAAAAACAwvwZmZhYODgYMAAAgxCDIlFyRmZZan6KYkliXoF2TluTnwMUSiggam2kCGCEai+vJAxuSQfqEEvvrQkM6eYK74oNak0MyclviQ1rzi/' +
    'KL7MiKuQSUMjgh2ouBioMjE9tZAZooXLOT+3ICe1wiW/NCknNRgiyVXIAjbYoJA1ghlIJxeUFrJ5M5YUsgd6M3gzthZygAjOzuTk/Jyc1OSSzPy8Yi7/' +
    'opTUotQUl8zkEq5CLs2gQu6SQp6gQt5ivQBvdo6rdT3Gq4BGgXAATp/zMUih+FzfwM1JDM3fMICq84M92Jb2RD8BcAjis4WfwRhuS1lqUTHQ+W5O+jis' +
    'wQmMuUA2XpyXHsoENJMJbCMjiILbiexnAQxXoMcwhm4kv/Ch6PyFplvfAF0vsqv4UfQmMDKg+z3Am41NByotx6wLV8qMRm+H0pcYITRQHyhBMXQyQfiM' +
    'YDFWNogeZrB6iFoAPDBR/usCAAA=',
  optimizer:
    'H4sIAAAAAAACA5VSy0rDQBSdJG0aY01rP0C3LWhbFXHhQigSkCxMK0IQJMRkqMG0yZ1Muit004U7l678C/EbXIkL/8fJg5KkKHphOMyde86ZOYyuCRWE' +
    'JAmtVRO1kEXse3eGe45FrW7w4KkDBd0UasHPAbWNKiOE1KIYuDnwGpqDYHCsN4GKTX2m0jUj6nqhbBJ8F7meY1I8DX1izg5lqLbbRi0R8Ik1xiCmFFn1' +
    'fItepU0ZaolgHyRDYGgHEWxoPAV5qCGNX8Kmxi2h/mjbvudhm7r+NJQviYMJds5dm8qw1RmBQqExgmYYGnWmEVjEmphj4kdBCNu30Iq6ulaTpIvXzgc7' +
    'jpf+YzwKOi7E0+urg4NSOH8ohBZn8YqNn4biV+wk/WrcQKcr4xkmIXupOjj5v3NaR3Ls/PkyvuaZNp84czGsvPNxNNduU/4hZXb+TUqBucuhUoBlbv5W' +
    'jQL3OcfNMtA1UdzLjneE/dWoUMK3DFt8iowX/z30nu25pFcVU46QzKez37OedI8rAwAA',
  arguments:
    'H4sIAAAAAAACAwvwZmZhYODgYMAAAgxCDIlFyRmZZan6KYkliXoF2TluTnwMUSiggam2kEEjggmoIaeokNHdfudMEJgVATSVIS8xN7WQKYIRyKwoZC7V' +
    'C/Bm50i1i3fVBQqAcABOy/kZxOCWl6UWFWfm57k5CaHZDQLGXCBDL85LDwU5gQlsKCOIghuLbKEAhkXoPkTXjWwyP4rOWiTdUCcGeLOx6UCl5Zh14UqZ' +
    '0OhqKH0JSgP1sYNoX0YInxEsxsoG0cMEVg9RCwCp4N2frwEAAA==',
} as const;

/** Type, shape and the bytes of each tensor, the last side first in them. */
const EXPECTED =
  'H4sIAAAAAAACA81U22obMRD9FbPPJkgaraTtYwuBQCFPfUpCkVajJGDHrmOTlNJv6V/0B/JjPauLu3bJewXL2Jo5Z+760fE6cLx44cf7h333YXHTXZLq' +
  'loubfrmgu+WiM0KzGihp671zxDp4aUeK3gqWiRI5I9gGFkGy8oGlZj+qkCSZcSRizw6wkMgrLUVIyppodEghDtZwiN4TaReYA5G1IUWlTYSfbnK+Wn99' +
  'YP/fhrff+afn7eaZ4zw0s1zoSStmZxQ6Sy3gBWeo0glKk+Sq75veFSnqvaj3pkpfpa56Wf/bpneNv+jV0V+R4S9P1lPTV1yAzCmOm9Vh/TRPTy8XqqXX' +
  'wm9h8Fk4/VlYLS3f6Hebl5PSNWJ9RmDOiNws3kzEr1v/FE8boeqMlAaUSEdhUymoE+/dZ8It79aHfSW8kqYN3by5fa6gEEBKJC4HfIxiEz7Qq4jCKnw2' +
  'l2TKYqp8/imBlcBKYBWwClgFLAFLLndsynYKTEgAJLAylGsFrAJWAUvA0pA7WFKCTwkjCawEVgGrgFWhmBCw5OtcDbllQkIhgZXAKmAVsApYApaAJWBz' +
  'TbA2Jtfj42UpCNUKu4E4YktgmsYhpDSGaIwW7PE/UvK4PzJc7N/lmLATZuKaOCbsxDlxHTlaEBWv6jxST70PwTpNUaQ6FsnoYgtZfGXb6A1j0+1g9RA9' +
  'pZB06AdtNPeeJXw6lKGXYZRDZGhRsmi9CngNhjBSMqMa8JIIToI5huRDT673whJqj9Jl34/V91XxrWZ7U4+su3dy0tk5vgD1FG5MeOYuk17GvL4YeUZm' +
  'xAXgir3LoeTSJKGy6lBUX9y8GxlupkXGFCpMuiv922xWpXvX159PsspDLdqjsd6u+DUbfvo3+/ZqiLPU/N9Hsm7iePJ4HpN5Hv3K7+ar3qjZ6WLC6+3+' +
  '+9xC1MXN2vvd2++3X7y47b4dNljy225uKueBdnc//wDgrEkFJQcAAA==';

export type TorchSample = keyof typeof SAMPLES;

export function torchSample(name: TorchSample): Buffer {
  return gunzipSync(Buffer.from(SAMPLES[name], 'base64'));
}

/** The tensors of `zip`, `legacy`, `wrapped` and `protocol4`: type, shape and the bytes in hexadecimal. */
export function expectedTensors(): Record<string, readonly [dtype: string, shape: readonly number[], bytes: string]> {
  return JSON.parse(gunzipSync(Buffer.from(EXPECTED, 'base64')).toString('utf8'));
}
